import { create } from "@bufbuild/protobuf";
import { GatewayError } from "../../errors.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { GenerationParametersSchema } from "../../gen/dragoman/v1/parameters_pb.js";
import type { TokenCount } from "../../tokens/token-count.ts";
import { mostChatTokens } from "../../tokens/usage-estimate.ts";
import type { Adaptation } from "./adaptations.ts";
import { adapt, type Draft, keepMessages } from "./draft.ts";
import { trimOldest } from "./memory.ts";
import type { PlanningContext } from "./planning-context.ts";
import type { Profile } from "./profile.ts";

/**
 * Where an estimate says that a prompt fills this share of the window, it is counted (seed 003's API does the same), and
 * below it where prompt and answer may be above the window all the same.
 */
const nearlyFull = 0.8;

/**
 * Holds a request to the window of its model: leaves out the oldest messages where the strategy or the profile says so,
 * resolves how long the answer may be, and throws CONTEXT_LENGTH_EXCEEDED, with both lengths, for what is surely too
 * long. Where only an estimate is to be had and it leaves doubt, the provider decides.
 *
 * After every step that adds text, since it counts what goes out, and before the checks, which see the length that it
 * sets for the answer.
 */
export async function fitWindow(
  draft: Draft,
  { model, profile, counter }: Pick<PlanningContext, "model" | "profile" | "counter">,
): Promise<Draft> {
  const { request } = draft;
  const window = model.contextWindowTokens;
  const asked = request.parameters?.maxOutputTokens;
  const byDefault = asked === undefined ? profile.outputLimits[model.family] : undefined;
  const limit = bounded(byDefault, model);
  if (window === 0) {
    const message = `the window of ${model.id} is not known here: no message was left out`;
    const adaptation: Adaptation = { kind: "UNSUPPORTED_PARAMETER", field: ["memory_strategy"], message };
    const adaptations = request.memoryStrategy?.strategy.case === "autoTrim" ? [adaptation] : [];
    return withOutputLimit(adapt(draft, adaptations), limit);
  }

  const mostOutput = asked ?? (byDefault === "rest" ? model.maxOutputTokens || window : byDefault) ?? 0;
  const reserve = profile.outputMustFit ? (asked ?? 1) : 1;
  if (mostChatTokens(request) + mostOutput <= window * nearlyFull) return withOutputLimit(draft, limit);
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
  if (fittedCount.low + reserve > window) throw tooLong(fittedCount, asked, window);
  const rest = Math.max(1, window - fittedCount.high);
  return withOutputLimit(fitted, limit && Math.min(limit, rest));
}

/** Leaves out the oldest messages until the rest fits; the same draft where that leaves none out. */
async function trimDraft(draft: Draft, window: number, fits: (kept: Draft) => Promise<boolean>): Promise<Draft> {
  const { messages } = draft.request;
  const kept = await trimOldest(messages, (indexes) => fits(keepMessages(draft, indexes)));
  const dropped = messages.length - kept.length;
  if (dropped === 0) return draft;
  const message = `the oldest ${dropped} messages were left out, so that the prompt fits ${window} tokens`;
  return adapt(keepMessages(draft, kept), [{ kind: "EMULATED", field: ["memory_strategy"], message }]);
}

function trims(chat: ChatRequest, profile: Profile): boolean {
  const strategy = chat.memoryStrategy?.strategy.case;
  return strategy === "autoTrim" || (profile.trims && strategy === undefined);
}

/** A default for the length of an answer, within what the model gives. */
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

function tooLong({ tokens, exact }: TokenCount, asked: number | undefined, window: number): GatewayError {
  const counted = `${exact ? "" : "about "}${tokens} tokens`;
  const message =
    asked === undefined || tokens >= window
      ? `the prompt has ${counted}, and the model's window is ${window}: shorten it, or set a memory_strategy`
      : `the prompt has ${counted}, which with max_output_tokens ${asked} is above the model's window of ${window}`;
  return new GatewayError("CONTEXT_LENGTH_EXCEEDED", message, {
    metadata: {
      input_tokens: String(tokens),
      context_window_tokens: String(window),
      ...(asked !== undefined && { max_output_tokens: String(asked) }),
    },
  });
}
