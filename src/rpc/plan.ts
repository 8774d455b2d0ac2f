import { create, type DescMessage, type MessageShape } from "@bufbuild/protobuf";
import { capabilityLimitations } from "../chat/capabilities.ts";
import { applyLimitations } from "../chat/limitations.ts";
import { commonLimitations, prepareMessages } from "../chat/prepare.ts";
import { requestViolations } from "../chat/request-rules.ts";
import { annotationViolations } from "../chat/validate.ts";
import { GatewayError, invalidRequest } from "../errors.ts";
import type { ChatRequest } from "../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../gen/dragoman/v1/model_pb.js";
import { type GenerationParameters, GenerationParametersSchema } from "../gen/dragoman/v1/parameters_pb.js";
import type { Warning } from "../gen/dragoman/v1/warning_pb.js";
import type { Catalogue } from "../models/catalogue.ts";
import type { Adapter } from "../providers/adapter.ts";
import { choiceLimitations } from "../routing/fan-out.ts";

/** How a request will be served: what goes to which adapter, and what the caller is told about it. */
export interface Plan {
  readonly request: ChatRequest;
  readonly model: Model;
  readonly adapter: Adapter;
  readonly effectiveParameters: GenerationParameters;
  readonly warnings: readonly Warning[];
}

/** A message that wraps the shared body. */
type ChatWrapper<Desc extends DescMessage> = MessageShape<Desc> & { chat?: ChatRequest | undefined };

/** Checks a request against the annotations and the rules, and reports everything that is wrong with it at once. */
export function validateChat<Desc extends DescMessage>(schema: Desc, message: ChatWrapper<Desc>): ChatRequest {
  const violations = annotationViolations(schema, message);
  const all = message.chat ? [...violations, ...requestViolations(message.chat)] : violations;
  if (all.length > 0 || message.chat === undefined) throw invalidRequest(all);
  return message.chat;
}

/** Resolves the model and prepares the request for it. Asks no provider. */
export function planChat(chat: ChatRequest, catalogue: Catalogue, adapters: ReadonlyMap<string, Adapter>): Plan {
  const model = catalogue.resolve(chat.model);
  const adapter = adapters.get(model.provider);
  if (adapter === undefined) {
    throw new GatewayError("MODEL_NOT_FOUND", `the provider ${model.provider} is not on`);
  }
  const prepared = prepareMessages(chat, model);
  const limited = applyLimitations(prepared, [
    ...commonLimitations(prepared),
    ...capabilityLimitations(prepared, model),
    ...adapter.limitations(prepared, model),
    ...choiceLimitations(prepared, model, adapter),
  ]);
  return {
    request: limited.request,
    model,
    adapter,
    effectiveParameters: limited.request.parameters ?? create(GenerationParametersSchema),
    warnings: limited.warnings,
  };
}
