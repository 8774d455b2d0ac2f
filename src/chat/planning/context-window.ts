import { create } from "@bufbuild/protobuf";
import { GatewayError } from "../../errors.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { GenerationParametersSchema } from "../../gen/dragoman/v1/parameters_pb.js";
import type { TokenCount, TokenCounter } from "../../tokens/token-count.ts";
import { mostChatTokens } from "../../tokens/usage-estimate.ts";
import type { Adaptation } from "./adaptations.ts";
import { trimOldest } from "./memory.ts";
import type { Profile } from "./profile.ts";

/** A request that fits its model's window. */
export interface FittedRequest {
  readonly request: ChatRequest;
  readonly adaptations: readonly Adaptation[];
}

/**
 * Where an estimate says that a prompt fills this share of the window, it is counted (seed 003's API does the same), and
 * below it where prompt and answer may be above the window all the same.
 */
const nearlyFull = 0.8;

/**
 * Holds a request to the window of its model: leaves out the oldest messages where the strategy or the profile says so,
 * resolves how long the answer may be, and throws CONTEXT_LENGTH_EXCEEDED, with both lengths, for what is surely too
 * long. Where only an estimate is to be had and it leaves doubt, the provider decides.
 */
export async function fitWindow(
  chat: ChatRequest,
  model: Model,
  profile: Profile,
  counter: TokenCounter,
): Promise<FittedRequest> {
  const window = model.contextWindowTokens;
  const asked = chat.parameters?.maxOutputTokens;
  const byDefault = asked === undefined ? profile.outputLimits[model.family] : undefined;
  if (window === 0) {
    const message = `the window of ${model.id} is not known here: no message was left out`;
    const adaptation: Adaptation = { kind: "UNSUPPORTED_PARAMETER", field: "memory_strategy", message };
    const adaptations = chat.memoryStrategy?.strategy.case === "autoTrim" ? [adaptation] : [];
    return { request: withOutputLimit(chat, bounded(byDefault, model)), adaptations };
  }

  const mostOutput = asked ?? (byDefault === "rest" ? model.maxOutputTokens || window : byDefault);
  const reserve = profile.outputMustFit ? (asked ?? 1) : 1;
  if (mostChatTokens(chat) + (mostOutput ?? 0) <= window * nearlyFull) {
    return { request: withOutputLimit(chat, bounded(byDefault, model)), adaptations: [] };
  }
  const estimate = counter.estimate(chat);
  const mustCount = estimate.tokens >= window * nearlyFull || estimate.high + (mostOutput ?? 0) > window;
  let count = mustCount ? await counter.count(chat) : estimate;

  let request = chat;
  const adaptations: Adaptation[] = [];
  if (trims(chat, profile) && count.high + reserve > window) {
    const messages = await trimOldest(chat.messages, async (kept) => {
      const { high } = await counter.count({ ...chat, messages: [...kept] });
      return high + reserve <= window;
    });
    const dropped = chat.messages.length - messages.length;
    if (dropped > 0) {
      request = { ...chat, messages: [...messages] };
      count = await counter.count(request);
      const message = `the oldest ${dropped} messages were left out, so that the prompt fits ${window} tokens`;
      adaptations.push({ kind: "EMULATED", field: "memory_strategy", message });
    }
  }
  if (count.low + reserve > window) throw tooLong(count, asked, window);
  const rest = Math.max(1, window - count.high);
  const limit = bounded(byDefault, model);
  return { request: withOutputLimit(request, limit && Math.min(limit, rest)), adaptations };
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

function withOutputLimit(chat: ChatRequest, maxOutputTokens: number | undefined): ChatRequest {
  if (maxOutputTokens === undefined) return chat;
  return { ...chat, parameters: { ...(chat.parameters ?? create(GenerationParametersSchema)), maxOutputTokens } };
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
