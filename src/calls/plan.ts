import { create } from "@bufbuild/protobuf";
import { ownWords } from "../chat/planning/caller-words.ts";
import { declaredAdaptations } from "../chat/planning/declared-parameters.ts";
import type { Draft } from "../chat/planning/draft.ts";
import {
  addLearned,
  type LearnedField,
  nothingLearned,
  type OwnField,
  withoutOptions,
} from "../chat/planning/learned.ts";
import type { OptionalContent } from "../chat/planning/optional-content.ts";
import type { PlanningContext } from "../chat/planning/planning-context.ts";
import type { Profile } from "../chat/planning/profile.ts";
import { optionViolations } from "../chat/planning/provider-options.ts";
import { planRequest } from "../chat/planning/steps.ts";
import type { ChatRequest } from "../gen/dragoman/v1/chat_request_pb.js";
import type { OutputFormat } from "../gen/dragoman/v1/output_format_pb.js";
import type { GenerationParameters } from "../gen/dragoman/v1/parameters_pb.js";
import { type Warning, WarningSchema } from "../gen/dragoman/v1/warning_pb.js";
import { choiceAdaptations } from "../routing/choices.ts";
import type { Target } from "../routing/target.ts";
import { tokenCounter } from "../tokens/counter.ts";
import type { CheckedChat } from "./check-chat.ts";
import type { PlanContext } from "./plan-context.ts";
import { warningOfPrice } from "./price-unknown.ts";

/** How Dragoman will serve a request: the prepared request, its target and the warnings for the caller. */
export interface Plan {
  readonly request: ChatRequest;
  /** The caller's request. */
  readonly asked: ChatRequest;
  /** The model and the adapter, which leaves out what the target rejected before. */
  readonly target: Target;
  /** Returns the fields of the body that the adapter writes by itself, and those with two names. */
  readonly ownFields: () => readonly OwnField[];
  readonly profile: Profile;
  readonly effectiveParameters: GenerationParameters;
  readonly warnings: readonly Warning[];
  /** Raw prompt that Dragoman rendered from a chat template. Undefined: the provider receives messages. */
  readonly prompt: string | undefined;
  /** The caller's function name for each name that the provider gets instead. Undefined: all names are the caller's. */
  readonly toolNames: ReadonlyMap<string, string> | undefined;
  /** Stop sequences at which Dragoman ends the response itself. */
  readonly stops: readonly string[];
  /** Requested output format. Dragoman validates JSON responses against it. */
  readonly outputFormat: OutputFormat | undefined;
  /**
   * Whether Dragoman validates the response against the JSON Schema. True if the provider enforces only parts of the
   * schema or nothing.
   */
  readonly checksSchema: boolean;
  /** Plans the same request without fields that the target has just rejected. */
  readonly revise: (learned: readonly LearnedField[]) => Promise<Plan>;
}

const noOptionalContent: ReadonlySet<OptionalContent> = new Set();

function acceptedContent({ model, adapter: { accepts } }: Target): ReadonlySet<OptionalContent> {
  return (typeof accepts === "function" ? accepts(model) : accepts) ?? noOptionalContent;
}

/** Returns a target with the adapter of the API that serves a request. */
export function servedBy(target: Target, request: ChatRequest, extras: PlanContext["extras"]): Target {
  const { model, adapter } = target;
  if (adapter.apiFor === undefined) return target;
  const equivalents = extras?.equivalentTools;
  const others = equivalents === undefined ? [] : [...equivalents.values()].flatMap(({ tools }) => tools);
  const other = adapter.apiFor(request, model, others.length === 0 ? request.tools : [...request.tools, ...others]);
  return other === undefined ? target : { model, adapter: other };
}

/** Runs the planning steps for a target. */
export function draftFor(
  { chat, profile, profileTexts: texts, deployment }: Omit<CheckedChat, "model">,
  target: Target,
  {
    streamed,
    account,
    counter,
    renderPrompt,
    words,
    learned = nothingLearned,
    ownFields,
    extras,
  }: Pick<PlanningContext, "account" | "counter" | "renderPrompt" | "words"> &
    Partial<Pick<PlanningContext, "learned" | "ownFields">> &
    Pick<PlanContext, "streamed" | "extras">,
): Promise<Draft> {
  const { model, adapter } = target;
  const { contractNames: names } = adapter;
  return planRequest(chat, {
    account,
    counter,
    renderPrompt,
    words,
    learned,
    ownFields,
    extras,
    model,
    dialect: adapter.dialect,
    profile,
    profileTexts: texts,
    completionOnly: deployment?.completionOnly ?? false,
    toolNames: adapter.toolNames,
    callIds: adapter.callIds?.(model),
    needsOutputLimit: adapter.needsOutputLimit ?? false,
    stopRule: adapter.stopRule?.(model),
    rejectedText: adapter.rejectedText?.(model),
    schemas: adapter.schemas?.(model),
    takesAllowedTools: adapter.takesAllowedTools ?? false,
    accepts: acceptedContent(target),
    checkOptions:
      names &&
      ((options, describe) =>
        optionViolations({ providerOptions: { [model.provider]: options } }, model.provider, names, describe)),
    extraFields: adapter.extraFields,
    checkSupport: (request) => [
      ...declaredAdaptations(request, model, deployment?.unsupported ?? []),
      ...adapter.checkSupport(request, model),
      ...((streamed && adapter.checkStream?.(request)) || []),
      ...choiceAdaptations(request, target),
    ],
  });
}

/** Prepares a valid request for a target. Calls no provider. */
export async function planChat(
  checked: Omit<CheckedChat, "model">,
  configured: Target,
  context: PlanContext,
): Promise<Plan> {
  const { account, holder, signal, counting, words = ownWords, extras } = context;
  const { streamed, sendsStream = streamed } = context;
  const base = servedBy(configured, checked.chat, extras);
  const learned = context.learnedBy?.(base) ?? nothingLearned;
  const target = withoutLearned(base, learned);
  const { model, adapter } = target;
  const { chat, profile } = checked;
  const draft = await draftFor(checked, target, {
    words,
    streamed,
    ...(extras && { extras }),
    account,
    learned,
    ownFields: (request) => ownFieldsOf(request, base, sendsStream),
    counter: tokenCounter(model, { holder, signal, limits: counting }, adapter.dialect),
    renderPrompt: adapter.prompt && (async (request) => adapter.prompt?.(request, model, { holder, signal })),
  });
  const { request, prompt, stops, checksSchema } = draft;
  const priceWarning = warningOfPrice(model, context.prices);
  const sent = adapter.effectiveParameters?.(request, model) ?? request.parameters;
  return {
    request,
    asked: chat,
    target,
    ownFields: () => withoutOptions(ownFieldsOf(request, target, sendsStream), request.providerOptions[model.provider]),
    profile,
    effectiveParameters: sent ?? noParameters(),
    warnings: [
      ...draft.warnings.map(({ field, ...warning }) =>
        create(WarningSchema, { ...warning, field: words.nameField(field) }),
      ),
      ...(priceWarning ? [priceWarning] : []),
    ],
    prompt,
    stops,
    toolNames: draft.toolNames,
    outputFormat: chat.outputFormat,
    checksSchema,
    revise: (added) => planChat(checked, configured, { ...context, learnedBy: () => addLearned(learned, added) }),
  };
}

/** A literal, which takes a tenth of the time of create(). */
function noParameters(): GenerationParameters {
  const $typeName = "dragoman.v1.GenerationParameters";
  return { $typeName, stopSequences: [], seedValue: { case: undefined }, logitBias: {} };
}

function ownFieldsOf(request: ChatRequest, { model, adapter }: Target, sendsStream: boolean): readonly OwnField[] {
  const own = adapter.ownFields?.(request, model) ?? [];
  return sendsStream ? own : own.filter(({ onlyStreamed }) => !onlyStreamed);
}

function withoutLearned({ model, adapter }: Target, learned: readonly LearnedField[]): Target {
  const names = learned.filter(({ field }) => field === undefined).map(({ name }) => name);
  return { model, adapter: names.length === 0 ? adapter : (adapter.without?.(new Set(names)) ?? adapter) };
}
