import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { mostCost } from "../../prices/most-cost.ts";
import type { PriceList } from "../../prices/price-list.ts";
import { estimateBounds } from "../../tokens/counter.ts";
import type { RequestSize } from "../../tokens/request-size.ts";
import { vocabularySizeOf } from "../../tokens/vocabulary-of-model.ts";

/** Output tokens of a choice that has no limit, until the usual output is known. */
const guessedOutput = 1000;

/** What a call may need. */
export interface CallNeed {
  /** Tokens that it will probably use at most. */
  readonly tokens: number;
  /** Nanodollars that it costs at most. Undefined: the price of `unpriced` is unknown. */
  readonly nanos: number | undefined;
  /** Nanodollars that it will probably cost at most, which is not more. */
  readonly likelyNanos: number;
  /** Id of the first model without a known price. Empty: there is none. */
  readonly unpriced: string;
  /** Whether `nanos` is an upper bound: the caller limits the output. Tools of the provider are not in it. */
  readonly isBound: boolean;
}

/** What the need of a call depends on. */
export interface NeedFacts {
  readonly request: RequestSize;
  /** Models that may serve the call. */
  readonly models: readonly Model[];
  readonly prices: PriceList | undefined;
  /** Output tokens per choice that few responses to such calls exceed. Undefined: not known. */
  readonly usualOutput: number | undefined;
  /** Tokens of the prompt at most, by id of the model. Default: not counted. */
  readonly counted?: ReadonlyMap<string, number> | undefined;
  /** Whether the cost matters. */
  readonly hasBudget: boolean;
}

/**
 * Estimates what a call may need: as at the most expensive of the models. The request need not be valid: planning rejects
 * it later, and the call then gives back what it holds.
 */
export function needOf({ request, models, prices, usualOutput, counted, hasBudget }: NeedFacts): CallNeed {
  const { choices, maxOutputTokens: requested } = request;
  const prompt = promptOf(request, models);
  const longest = mostOf(models, ({ maxOutputTokens }) => maxOutputTokens);
  const possible = Math.max(0, Math.min(requested ?? Number.POSITIVE_INFINITY, longest));
  const likely = Math.min(possible, usualOutput ?? (requested === undefined ? guessedOutput : possible));
  const isBound = requested !== undefined;
  const tokens = prompt.likely + likely * choices;
  if (!hasBudget) return { tokens, nanos: 0, likelyNanos: 0, unpriced: "", isBound };
  const output = (isBound && Number.isFinite(possible) ? possible : likely) * choices;
  let [most, probably] = [0n, 0n];
  for (const model of models) {
    const known = prices?.pricesOf(model);
    if (known === undefined) return { tokens, nanos: undefined, likelyNanos: 0, unpriced: model.id, isBound };
    // Some providers read the prompt once for each choice.
    const costWith = (input: number) => mostCost(known, input * choices, output, request.serviceTier);
    const bound = counted?.get(model.id) ?? prompt.most;
    const likelyBound = prompt.isLong && !isBound ? prompt.most : prompt.likelyMost;
    // Without a limit of the output, the cost is only what is probable.
    if (isBound) most = larger(most, costWith(bound));
    probably = larger(probably, costWith(Math.min(bound, likelyBound)));
  }
  const likelyNanos = clamp(probably);
  return { tokens, nanos: isBound ? clamp(most) : likelyNanos, likelyNanos, unpriced: "", isBound };
}

/** Upper bound of a prompt's tokens from which only its length is read: an estimate would block the event loop. */
const longPrompt = 300_000;

/** `RequestSize.mostTokens` of English text, divided by its tokens: three for each character, of which a token has four. */
const mostPerToken = 12;

/** Tokens of a prompt. */
interface Prompt {
  /** As estimated. */
  readonly likely: number;
  /** Upper bound for all texts but artificial ones. */
  readonly likelyMost: number;
  /** Upper bound. */
  readonly most: number;
  /** Whether `likely` and `likelyMost` only come from its length. */
  readonly isLong: boolean;
}

function promptOf(request: RequestSize, models: readonly Model[]): Prompt {
  const window = mostOf(models, ({ contextWindowTokens }) => contextWindowTokens) * request.prompts;
  const longest = request.mostTokens();
  const most = Math.min(request.mostBytes(), window);
  const isLong = longest > longPrompt;
  const estimate = isLong ? longest / mostPerToken : request.estimate(vocabularySizeOf(models[0]));
  const likely = Math.ceil(estimate);
  return { likely: Math.min(likely, window), likelyMost: Math.min(estimateBounds(likely).high, most), most, isLong };
}

/** Returns the largest of a limit that models have. Infinite if one of them has none, or if there is no model. */
function mostOf(models: readonly Model[], limitOf: (model: Model) => number): number {
  const limits = models.map((model) => limitOf(model) || Number.POSITIVE_INFINITY);
  return limits.length === 0 ? Number.POSITIVE_INFINITY : Math.max(...limits);
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

/** Amounts are numbers below 2^53: nine million dollars. */
function clamp(nanos: bigint): number {
  return Number(nanos > Number.MAX_SAFE_INTEGER ? Number.MAX_SAFE_INTEGER : nanos);
}
