import { create, type DescMessage, type MessageShape } from "@bufbuild/protobuf";
import { deploymentParameterViolations } from "../chat/planning/deployment-parameters.ts";
import { type Profile, profileViolations } from "../chat/planning/profile.ts";
import { planRequest } from "../chat/planning/steps.ts";
import { annotationViolations } from "../chat/validation/annotations.ts";
import { requestViolations } from "../chat/validation/request-rules.ts";
import { type FieldViolation, invalidRequest } from "../errors.ts";
import { type FieldPath, formatPath, isSamePath } from "../field-path.ts";
import type { ChatRequest } from "../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../gen/dragoman/v1/model_pb.js";
import type { OutputFormat } from "../gen/dragoman/v1/output_format_pb.js";
import { type GenerationParameters, GenerationParametersSchema } from "../gen/dragoman/v1/parameters_pb.js";
import { type Warning, WarningSchema } from "../gen/dragoman/v1/warning_pb.js";
import type { Catalog } from "../models/catalog.ts";
import type { ConfiguredModel } from "../models/configured-model.ts";
import { type ProfileName, profileOf, profiles } from "../profiles/profiles.ts";
import { choiceAdaptations } from "../routing/choices.ts";
import type { Target } from "../routing/target.ts";
import { tokenCounter } from "../tokens/counter.ts";

/** How a request will be served: what goes to which adapter, and what the caller is told about it. */
export interface Plan {
  readonly request: ChatRequest;
  readonly target: Target;
  readonly profile: Profile;
  readonly effectiveParameters: GenerationParameters;
  readonly warnings: readonly Warning[];
  /** The raw prompt, where a chat template makes it here. */
  readonly prompt: string | undefined;
  /** The form that the answer is held to here. */
  readonly outputFormat: OutputFormat | undefined;
  /** Whether the answer is held to the schema of `outputFormat` here, since the model cannot be, or not to all of it. */
  readonly checksSchema: boolean;
}

/** What planning needs to know beside the request. */
export interface PlanContext {
  /** The account that the call is recorded under; empty: none. */
  readonly account: string;
  /** Whether the answer goes out as a stream. */
  readonly streamed: boolean;
  /** The rules of the surface that the request came through, instead of the model's own. */
  readonly profile?: ProfileName;
  readonly signal: AbortSignal;
  /** The caller's name for a field that a warning is about. Default: the contract's. */
  readonly nameField?: (path: FieldPath) => string;
}

/** A message that wraps the shared body. */
export type ChatWrapper<Desc extends DescMessage> = MessageShape<Desc> & { chat?: ChatRequest | undefined };

/** A request that keeps every rule, and what it is for. */
interface CheckedChat {
  readonly chat: ChatRequest;
  readonly model: Model;
  readonly profile: Profile;
  /** What is configured for the model; undefined for most. */
  readonly deployment: ConfiguredModel | undefined;
}

/**
 * Checks a request against the annotations, the rules of every request and those of its model's profile, and reports
 * everything that is wrong with it at once.
 */
export function checkChat<Desc extends DescMessage>(
  schema: Desc,
  message: ChatWrapper<Desc>,
  catalog: Catalog,
  context: PlanContext,
): CheckedChat {
  const violations: FieldViolation[] = [...annotationViolations(schema, message)];
  const { chat } = message;
  if (chat === undefined) throw invalidRequest(violations);
  violations.push(...requestViolations(chat));
  let model: Model;
  try {
    model = catalog.resolve(chat.model, context.account);
  } catch (error) {
    throw violations.length > 0 ? invalidRequest(violations) : error;
  }
  const profile = context.profile ? profiles[context.profile] : profileOf(model.profile);
  const deployment = catalog.deploymentOf(model.id);
  const narrower = profileViolations(chat, profile, context.streamed);
  const wrong = [
    // A value outside the contract's range is outside the profile's: one report of it is enough, the narrower one.
    ...violations.filter(({ field }) => !narrower.some((violation) => isSamePath(violation.field, field))),
    ...narrower,
    ...deploymentParameterViolations(chat, deployment?.parameters),
  ];
  if (wrong.length > 0) throw invalidRequest(wrong);
  return { chat, model, profile, deployment };
}

/** Prepares a request for a target. Calls no provider. */
export async function planChat(
  { chat, profile, deployment }: Omit<CheckedChat, "model">,
  target: Target,
  { account, signal, nameField = formatPath }: PlanContext,
): Promise<Plan> {
  const { model, adapter } = target;
  const draft = await planRequest(chat, {
    model,
    profile,
    completionOnly: deployment?.completionOnly ?? false,
    account,
    counter: tokenCounter(model, signal),
    checkSupport: (request) => [...adapter.checkSupport(request, model), ...choiceAdaptations(request, target)],
    renderPrompt: async (request) => adapter.prompt?.(request, model, signal),
  });
  const { request, prompt, checksSchema } = draft;
  const sent = adapter.effectiveParameters?.(request, model) ?? request.parameters;
  return {
    request,
    target,
    profile,
    effectiveParameters: sent ?? create(GenerationParametersSchema),
    warnings: draft.warnings.map(({ field, ...warning }) =>
      create(WarningSchema, { ...warning, field: nameField(field) }),
    ),
    prompt,
    outputFormat: chat.outputFormat,
    checksSchema,
  };
}
