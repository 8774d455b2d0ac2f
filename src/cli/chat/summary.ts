import type { ChatCompletion } from "../../gen/dragoman/v1/completion_pb.js";
import { type Usage, UsageQuality } from "../../gen/dragoman/v1/usage_pb.js";
import { describeAttempts } from "../remote/call-error.ts";
import { printable } from "../table.ts";
import { formatCount, formatDollars } from "../usage/amounts.ts";

/** Times of a call in ms, as the client saw them. */
export interface CallTimes {
  /** From the request to the first output. Undefined: there was none. */
  readonly firstMs: number | undefined;
  /** From the request to the end. */
  readonly totalMs: number;
}

/** Describes a call in one line: the model, tokens, cost and times, and the attempts if there were several. */
export function summarize(
  { model, provider, usage, attempts }: ChatCompletion,
  { firstMs, totalMs }: CallTimes,
): string {
  const isNamed = model.startsWith(`${provider}/`);
  const facts = [
    isNamed ? model : `${model} (${provider})`,
    ...(usage === undefined ? ["usage unknown"] : factsOf(usage)),
    ...(firstMs === undefined ? [] : [`first output ${seconds(firstMs)}`]),
    `total ${seconds(totalMs)}`,
    ...rateOf(usage, firstMs, totalMs),
    ...(attempts.length > 1 ? [`${attempts.length} attempts: ${describeAttempts(attempts)}`] : []),
  ];
  return printable(facts.join(" · "));
}

function factsOf(usage: Usage): readonly string[] {
  const { inputTokens, outputTokens, cachedInputTokens: cached = 0, reasoningTokens: reasoning = 0 } = usage;
  const about = usage.quality === UsageQuality.EXACT ? "" : "about ";
  return [
    `${about}${formatCount(BigInt(inputTokens))} tokens in${cached > 0 ? ` (${formatCount(BigInt(cached))} cached)` : ""}`,
    `${about}${formatCount(BigInt(outputTokens))} out${reasoning > 0 ? ` (${formatCount(BigInt(reasoning))} reasoning)` : ""}`,
    usage.cost === undefined ? "cost unknown" : (formatDollars([usage.cost.totalNanos])[0] ?? ""),
  ];
}

/** The first token marks the beginning of the time in which the others came. */
function rateOf(usage: Usage | undefined, firstMs: number | undefined, totalMs: number): readonly string[] {
  if (usage === undefined || firstMs === undefined || usage.outputTokens < 2 || totalMs - firstMs < 1) return [];
  return [`${(((usage.outputTokens - 1) * 1000) / (totalMs - firstMs)).toFixed(1)} tokens/s`];
}

function seconds(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(2)} s`;
}
