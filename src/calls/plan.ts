import { create, type DescMessage, type MessageShape } from "@bufbuild/protobuf";
import { type Adaptation, applyAdaptations } from "../chat/planning/adaptations.ts";
import { capabilityAdaptations } from "../chat/planning/capabilities.ts";
import { fitWindow } from "../chat/planning/context-window.ts";
import {
  completionOnly,
  deploymentParameterViolations,
  withDeploymentParameters,
} from "../chat/planning/deployment.ts";
import { emulateSchema, isCheckable } from "../chat/planning/emulate-schema.ts";
import { FieldOrigins } from "../chat/planning/field-origins.ts";
import { adviceFor, messageAdaptations, prepareMessages } from "../chat/planning/prepare.ts";
import {
  defaultedFields,
  type Profile,
  profileAdaptations,
  profileViolations,
  withDefaults,
} from "../chat/planning/profile.ts";
import { annotationViolations } from "../chat/validation/annotations.ts";
import { requestViolations } from "../chat/validation/request-rules.ts";
import { type FieldViolation, invalidRequest } from "../errors.ts";
import type { ChatRequest } from "../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../gen/dragoman/v1/model_pb.js";
import type { OutputFormat } from "../gen/dragoman/v1/output_format_pb.js";
import { type GenerationParameters, GenerationParametersSchema } from "../gen/dragoman/v1/parameters_pb.js";
import type { Warning } from "../gen/dragoman/v1/warning_pb.js";
import type { Catalog } from "../models/catalog.ts";
import type { ConfiguredModel } from "../models/configured-model.ts";
import { pathSegment } from "../path-segment.ts";
import { type ProfileName, profileOf, profiles } from "../profiles/profiles.ts";
import type { Adapter } from "../providers/adapter.ts";
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
    ...violations.filter(({ field }) => !narrower.some((violation) => violation.field === field)),
    ...narrower,
    ...deploymentParameterViolations(chat, deployment?.parameters),
  ];
  if (wrong.length > 0) throw invalidRequest(wrong);
  return { chat, model, profile, deployment };
}

/** Prepares a request for a target. Asks no provider. */
export async function planChat(checked: CheckedChat, target: Target, context: PlanContext): Promise<Plan> {
  const { model, adapter } = target;
  const { profile } = checked;

  const placed = withDeploymentParameters(checked.chat, model.provider);
  const fallback = checked.deployment?.completionOnly ? completionOnly(placed) : undefined;
  const asked = fallback?.request ?? placed;
  const filled = withDefaults(asked, profile, model);
  const emulated = emulateSchema(filled, model, (chat) => adapter.checkSupport(chat, model).some(refusesForm));
  const placedMessages = prepareMessages(emulated.request, model, profile);
  const fitted = await fitWindow(placedMessages, model, profile, tokenCounter(model, context.signal));
  const prepared = withScopedCacheKey(fitted.request, context.account);
  const places = new FieldOrigins(checked.chat.messages, prepared.messages);
  const found = [
    ...profileAdaptations(prepared, model, profile),
    ...capabilityAdaptations(prepared, model),
    ...adapter.checkSupport(prepared, model),
    ...choiceAdaptations(prepared, target),
  ];
  const limited = applyAdaptations(
    prepared,
    [
      ...(fallback?.adaptations ?? []),
      ...emulated.adaptations,
      ...fitted.adaptations,
      ...messageAdaptations(filled, model, profile),
      ...found.map((adaptation) => places.adaptation(adaptation)),
    ],
    defaultedFields(asked, profile, model),
  );
  return {
    request: limited.request,
    target,
    profile,
    effectiveParameters:
      adapter.effectiveParameters?.(limited.request, model) ??
      limited.request.parameters ??
      create(GenerationParametersSchema),
    warnings: [...limited.warnings, ...adviceFor(checked.chat)],
    prompt: await promptOf(adapter, limited.request, model, context.signal, places),
    outputFormat: checked.chat.outputFormat,
    checksSchema:
      emulated.adaptations.length > 0 || (found.some(loosensForm) && isCheckable(checked.chat.outputFormat)),
  };
}

function refusesForm({ kind, field }: Adaptation): boolean {
  return kind === "REJECTED" && field.startsWith("output_format");
}

/** The dialect holds the answer to less than was asked for. */
function loosensForm({ kind, field }: Adaptation): boolean {
  return kind === "ADJUSTED" && field === "output_format";
}

async function promptOf(
  adapter: Adapter,
  request: ChatRequest,
  model: Model,
  signal: AbortSignal,
  places: FieldOrigins,
): Promise<string | undefined> {
  try {
    return await adapter.prompt?.(request, model, signal);
  } catch (error) {
    throw places.error(error);
  }
}

/**
 * Providers keep prompt caches per key: with the account in it, accounts that chose the same key share nothing, nor do
 * they with calls without an account, whose key has no step before a slash.
 */
function withScopedCacheKey(chat: ChatRequest, account: string): ChatRequest {
  const { promptCacheKey: key } = chat;
  if (key === "" || (account === "" && !key.includes("/"))) return chat;
  return { ...chat, promptCacheKey: `${pathSegment(account)}/${key}` };
}
