import { create } from "@bufbuild/protobuf";
import { GatewayError } from "../../errors.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { GenerationParametersSchema } from "../../gen/dragoman/v1/parameters_pb.js";
import type { TokenCount } from "../../tokens/token-count.ts";
import { mostChatTokens } from "../../tokens/usage-estimate.ts";
import type { Adaptation } from "./adaptations.ts";
import type { CallerWords } from "./caller-words.ts";
import { adapt, type Draft, keepMessages } from "./draft.ts";
import { trimOldest } from "./memory.ts";
import type { PlanningContext } from "./planning-context.ts";
import type { Profile } from "./profile.ts";

/**
 * Dragoman counts a prompt if its estimate is at least this share of the context window (Scale EGP deployments API).
 * Below this share, it counts only if prompt and response together may exceed the window.
 */
const nearlyFull = 0.8;

type Context = Pick<PlanningContext, "model" | "profile" | "counter" | "words" | "needsOutputLimit">;

/**
 * Fits a request into the context window of its model. Drops the oldest messages if the memory strategy or the profile
 * requires it, and sets the default output limit. Throws CONTEXT_LENGTH_EXCEEDED, with both lengths, if the prompt
 * certainly does not fit. If an inexact count leaves that open, Dragoman sends the request.
 *
 * Runs after every step that adds text, because it counts the outgoing messages. Runs before the support checks, which
 * check the output limit.
 */
export function fitWindow(draft: Draft, context: Context): Draft | Promise<Draft> {
  const { model, profile } = context;
  const { request } = draft;
  const window = model.contextWindowTokens;
  const requested = request.parameters?.maxOutputTokens;
  const byDefault = requested === undefined ? defaultLimit(context) : undefined;
  const limit = bounded(byDefault, model);
  if (window === 0) {
    const message = `the context window of ${model.id} is unknown, so no messages were dropped`;
    const adaptation: Adaptation = { kind: "UNSUPPORTED_PARAMETER", field: ["memory_strategy"], message };
    const adaptations = request.memoryStrategy?.strategy.case === "autoTrim" ? [adaptation] : [];
    return withOutputLimit(adapt(draft, adaptations), limit);
  }

  const mostOutput = requested ?? (byDefault === "rest" ? model.maxOutputTokens || window : byDefault) ?? 0;
  const reserve = profile.outputMustFit ? (requested ?? 1) : 1;
  if (mostChatTokens(request) + mostOutput <= window * nearlyFull) return withOutputLimit(draft, limit);
  return fitLong(draft, context, { limit, mostOutput, reserve });
}

interface OutputTokens {
  /** Default output limit to set. Undefined: none. */
  readonly limit: number | undefined;
  /** Most tokens that the response may have. */
  readonly mostOutput: number;
  /** Tokens of the window that the prompt must leave. */
  readonly reserve: number;
}

/** Fits a request whose prompt and response may exceed the window, or nearly fill it. */
async function fitLong(
  draft: Draft,
  { model, profile, counter, words }: Context,
  { limit, mostOutput, reserve }: OutputTokens,
): Promise<Draft> {
  const { request } = draft;
  const window = model.contextWindowTokens;
  const estimate = counter.estimate(request);
  const mustCount = estimate.tokens >= window * nearlyFull || estimate.high + mostOutput > window;
  const count = mustCount ? await counter.count(request) : estimate;
  const fitted =
    trims(request, profile) && count.high + reserve > window
      ? await trimDraft(
          draft,
          window,
          async ({ request: kept }) => (await counter.count(kept)).high + reserve <= window,
        )
      : draft;
  const fittedCount = fitted === draft ? count : await counter.count(fitted.request);
  if (fittedCount.low + reserve > window) {
    throw tooLong(fittedCount, request.parameters?.maxOutputTokens, window, words);
  }
  const rest = Math.max(1, window - fittedCount.high);
  return withOutputLimit(fitted, limit && Math.min(limit, rest));
}

/** Drops the oldest messages until the others fit. Returns the same draft if it drops none. */
async function trimDraft(draft: Draft, window: number, fits: (kept: Draft) => Promise<boolean>): Promise<Draft> {
  const { messages } = draft.request;
  const kept = await trimOldest(messages, (indexes) => fits(keepMessages(draft, indexes)));
  const dropped = messages.length - kept.length;
  if (dropped === 0) return draft;
  const message = `the oldest ${dropped === 1 ? "message was" : `${dropped} messages were`} dropped to fit the context window of ${window} tokens`;
  return adapt(keepMessages(draft, kept), [{ kind: "EMULATED", field: ["memory_strategy"], message }]);
}

function trims(chat: ChatRequest, profile: Profile): boolean {
  const strategy = chat.memoryStrategy?.strategy.case;
  return strategy === "autoTrim" || (profile.trims && strategy === undefined);
}

/** Returns the profile's output limit; else, if the API requires one, what prompt and model leave. */
function defaultLimit({
  model: { family },
  profile: { outputLimits, otherOutputLimit },
  needsOutputLimit,
}: Pick<PlanningContext, "model" | "profile" | "needsOutputLimit">): number | "rest" | undefined {
  const known = Object.hasOwn(outputLimits, family) ? outputLimits[family] : otherOutputLimit;
  return known ?? (needsOutputLimit ? "rest" : undefined);
}

/** Returns a default output limit within the model's own limit. */
function bounded(limit: number | "rest" | undefined, { maxOutputTokens, contextWindowTokens }: Model) {
  const most = maxOutputTokens || contextWindowTokens || Number.POSITIVE_INFINITY;
  const value = limit === "rest" ? most : limit;
  return value === undefined || value === Number.POSITIVE_INFINITY ? undefined : Math.min(value, most);
}

function withOutputLimit(draft: Draft, maxOutputTokens: number | undefined): Draft {
  if (maxOutputTokens === undefined) return draft;
  const parameters = { ...(draft.request.parameters ?? create(GenerationParametersSchema)), maxOutputTokens };
  return { ...draft, request: { ...draft.request, parameters } };
}

function tooLong(
  { tokens, exact }: TokenCount,
  requested: number | undefined,
  window: number,
  { nameField, memoryStrategy }: CallerWords,
): GatewayError {
  const orTrim = memoryStrategy === undefined ? "" : ` or set ${memoryStrategy}`;
  const outputLimit = nameField(["parameters", "max_output_tokens"]);
  const counted = `${exact ? "" : "about "}${tokens} tokens`;
  const message =
    requested === undefined || tokens >= window
      ? `the prompt has ${counted}, but the model's context window is ${window}; shorten the prompt${orTrim}`
      : `the prompt has ${counted}; with ${outputLimit} ${requested}, it exceeds the context window of ${window}`;
  return new GatewayError("CONTEXT_LENGTH_EXCEEDED", message, {
    metadata: {
      input_tokens: String(tokens),
      context_window_tokens: String(window),
      ...(requested !== undefined && { max_output_tokens: String(requested) }),
    },
  });
}
