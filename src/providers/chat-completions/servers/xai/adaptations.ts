import type { Adaptation } from "../../../../chat/planning/adaptations.ts";
import type { ChatRequest } from "../../../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../../../gen/dragoman/v1/model_pb.js";
import { penaltyFields, withoutFields } from "../../without-fields.ts";

export function xaiAdaptations(request: ChatRequest, { capabilities }: Model): Generator<Adaptation> {
  const fields = capabilities?.reasoning ? [...penaltyFields, "parameters.stop_sequences" as const] : [];
  return withoutFields(request, fields, "is not supported by xAI's reasoning models");
}
