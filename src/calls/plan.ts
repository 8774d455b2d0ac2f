import { create, type DescMessage, type MessageShape } from "@bufbuild/protobuf";
import { append } from "../append.ts";
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
import type { CountingLimits } from "../tokens/counting-limits.ts";

/** How Dragoman will serve a request: the prepared request, its target and the warnings for the caller. */
export interface Plan {
  readonly request: ChatRequest;
  readonly target: Target;
  readonly profile: Profile;
  readonly effectiveParameters: GenerationParameters;
  readonly warnings: readonly Warning[];
  /** Raw prompt that Dragoman rendered from a chat template. Undefined: the provider receives messages. */
  readonly prompt: string | undefined;
  /** Requested output format. Dragoman validates JSON responses against it. */
  readonly outputFormat: OutputFormat | undefined;
  /**
   * Whether Dragoman validates the response against the JSON Schema. True if the provider enforces only parts of the
   * schema or nothing.
   */
  readonly checksSchema: boolean;
}

/** Context of a request for planning. */
export interface PlanContext {
  /** Account of the call. Empty: none. */
  readonly account: string;
  /** The account, or the API key of a call without one. Queues are fair between holders. */
  readonly holder: string;
  /** Whether the caller requested a stream. */
  readonly streamed: boolean;
  /** Maximum number of values in each JSON text of the request. */
  readonly maxValues: number;
  /** Bounds of token counting. */
  readonly counting: CountingLimits;
  /** Profile (defaults and rules) of the HTTP API that received the request. Default: the model's profile. */
  readonly profile?: ProfileName;
  readonly signal: AbortSignal;
  /** Returns the violations in the caller's provider options. Default: none. */
  readonly checkOptions?: (chat: ChatRequest, model: Model) => readonly FieldViolation[];
  /** Returns the caller's name for the field of a warning. Default: the name in the proto. */
  readonly nameField?: (path: FieldPath) => string;
}

/** Request message with the chat request in its field `chat`. */
export type ChatWrapper<Desc extends DescMessage> = MessageShape<Desc> & { chat?: ChatRequest | undefined };

/** Valid chat request with its resolved model and profile. */
interface CheckedChat {
  readonly chat: ChatRequest;
  readonly model: Model;
  readonly profile: Profile;
  /** Entry of the configuration for the model. Undefined: the model has none. */
  readonly deployment: ConfiguredModel | undefined;
}

/**
 * Validates a request against the proto annotations, the general request rules and the profile of its model. Throws one
 * error with all violations.
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
  append(violations, requestViolations(chat, context.maxValues));
  let model: Model;
  try {
    model = catalog.resolve(chat.model, context.account);
  } catch (error) {
    throw violations.length > 0 ? invalidRequest(violations) : error;
  }
  const profile = context.profile ? profiles[context.profile] : profileOf(model.profile);
  const deployment = catalog.deploymentOf(model.id);
  const narrower = profileViolations(chat, profile, context);
  const wrong = [
    // A value outside the range in the proto is also outside the profile's narrower range. Report only the latter.
    ...violations.filter(({ field }) => !narrower.some((violation) => isSamePath(violation.field, field))),
    ...narrower,
    ...deploymentParameterViolations(chat, deployment?.parameters),
    ...(context.checkOptions?.(chat, model) ?? []),
  ];
  if (wrong.length > 0) throw invalidRequest(wrong);
  return { chat, model, profile, deployment };
}

/** Prepares a valid request for a target. Calls no provider. */
export async function planChat(
  { chat, profile, deployment }: Omit<CheckedChat, "model">,
  target: Target,
  { account, holder, signal, counting, nameField = formatPath }: PlanContext,
): Promise<Plan> {
  const { model, adapter } = target;
  const draft = await planRequest(chat, {
    model,
    profile,
    completionOnly: deployment?.completionOnly ?? false,
    account,
    counter: tokenCounter(model, { holder, signal, limits: counting }),
    checkSupport: (request) => [...adapter.checkSupport(request, model), ...choiceAdaptations(request, target)],
    renderPrompt: async (request) => adapter.prompt?.(request, model, { holder, signal }),
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
