import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { mostCost } from "../../prices/most-cost.ts";
import type { PriceList } from "../../prices/price-list.ts";
import { estimateBounds } from "../../tokens/counter.ts";
import { estimateChatTokens } from "../../tokens/usage-estimate.ts";
import { vocabularySizeOf } from "../../tokens/vocabulary-of-model.ts";

/** Output tokens of a choice that has no limit, until the usual output is known. */
const guessedOutput = 1000;

/** What a call may need. */
export interface CallNeed {
  /** Tokens that it will probably use at most. */
  readonly tokens: number;
  /** Nanodollars. Undefined: the price of `unpriced` is unknown. */
  readonly nanos: number | undefined;
  /** Id of the first model without a known price. Empty: there is none. */
  readonly unpriced: string;
  /** Whether `nanos` is an upper bound: the caller limits the output. Tools of the provider are not in it. */
  readonly isBound: boolean;
}

/** What the need of a call depends on. */
export interface NeedFacts {
  readonly chat: ChatRequest;
  /** Models that may serve the call. */
  readonly models: readonly Model[];
  readonly prices: PriceList | undefined;
  /** Output tokens per choice that few responses to such calls exceed. Undefined: not known. */
  readonly usualOutput: number | undefined;
}

/** Estimates what a call may need: as at the most expensive of the models. */
export function needOf({ chat, models, prices, usualOutput }: NeedFacts): CallNeed {
  const { n: choices = 1, maxOutputTokens: requested } = chat.parameters ?? {};
  const input = Math.ceil(estimateChatTokens(chat, vocabularySizeOf(models[0])));
  const limits = models.map(({ maxOutputTokens }) => maxOutputTokens || Number.POSITIVE_INFINITY);
  const possible = Math.min(requested ?? Number.POSITIVE_INFINITY, Math.max(...limits));
  const likely = Math.min(possible, usualOutput ?? (requested === undefined ? guessedOutput : possible));
  const isBound = requested !== undefined;
  // Some providers read the prompt once for each choice.
  const mostInput = estimateBounds(input).high * choices;
  const mostOutput = (isBound ? possible : likely) * choices;
  let nanos = 0n;
  for (const model of models) {
    const known = prices?.pricesOf(model);
    if (known === undefined) return { tokens: input + likely * choices, nanos: undefined, unpriced: model.id, isBound };
    const cost = mostCost(known, mostInput, mostOutput, chat.serviceTier);
    if (cost > nanos) nanos = cost;
  }
  return { tokens: input + likely * choices, nanos: clamp(nanos), unpriced: "", isBound };
}

/** Amounts are numbers below 2^53: nine million dollars. */
function clamp(nanos: bigint): number {
  return Number(nanos > Number.MAX_SAFE_INTEGER ? Number.MAX_SAFE_INTEGER : nanos);
}
