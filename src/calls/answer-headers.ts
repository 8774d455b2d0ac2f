import { durationMs } from "@bufbuild/protobuf/wkt";
import { type Attempt, AttemptOutcome } from "../gen/dragoman/v1/attempt_pb.js";
import type { Call } from "./call.ts";
import { formatItem } from "./structured-field.ts";

type Header = readonly [name: string, value: string];

/**
 * Response headers of a call: its request id, what is left of the limits of its account and API key, and the provider's
 * rate limits from the last upstream request, unless the former have the same name. The headers of rate limits have the
 * names that OpenAI and Cerebras use.
 */
export function answerHeaders({
  requestId,
  attempts,
  holdings,
}: Pick<Call, "requestId" | "attempts" | "holdings">): readonly Header[] {
  const own = holdings.headers;
  const headers: Header[] = [["x-request-id", requestId], ...own];
  const limits = attempts.at(-1)?.providerLimits ?? {};
  for (const name in limits) {
    const isOfProvider = name.startsWith("x-ratelimit-") && !own.some(([other]) => other === name);
    if (isOfProvider) headers.push([name, limits[name] ?? ""]);
  }
  return headers;
}

export const targetHeader = "x-dragoman-target";
export const attemptsHeader = "x-dragoman-attempts";

/** Maximum number of attempts in the header. */
const mostAttempts = 16;

/** Maximum length of the header with the attempts, in characters. Proxies commonly allow 8 KiB for all headers. */
const longestAttempts = 2048;

/** Maximum length of the name of a target, and of that of a key. */
const longestTarget = 512;
const longestKey = 128;

/** Length of `;omitted=` and a count. */
const omittedLength = ";omitted=".length + 10;

/**
 * Headers that say how the HTTP APIs got their response, which have no fields for it: the target that answers, and the
 * attempts. Both are structured fields (RFC 9651). Over gRPC and Connect, responses and errors have the attempts.
 *
 * @param failed Whether the call failed: then there is no target that answers.
 */
export function routingHeaders({ attempts }: Pick<Call, "attempts">, failed = false): readonly Header[] {
  if (attempts.length === 0) return [];
  const answering = failed ? undefined : answeringAttempt(attempts);
  return [
    ...(answering === undefined ? [] : [[targetHeader, formatItem(answering.target, longestTarget)] as const]),
    [attemptsHeader, formatAttempts(attempts)],
  ];
}

/** The attempt that was answered, or else one that still runs, preferably one with output. */
function answeringAttempt(attempts: readonly Attempt[]): Attempt | undefined {
  const running = attempts.filter(({ outcome }) => outcome === AttemptOutcome.UNSPECIFIED);
  return (
    attempts.findLast(({ outcome }) => outcome === AttemptOutcome.ANSWERED) ??
    running.findLast(({ firstOutputDuration }) => firstOutputDuration !== undefined) ??
    running.at(-1)
  );
}

/** Formats the last attempts that fit. The first of them has the number of earlier ones. */
function formatAttempts(attempts: readonly Attempt[]): string {
  const items: string[] = [];
  let left = longestAttempts - omittedLength;
  for (const attempt of attempts.slice(-mostAttempts).reverse()) {
    const item = formatAttempt(attempt);
    left -= item.length + ", ".length;
    if (left < 0) break;
    items.unshift(item);
  }
  const omitted = attempts.length - items.length;
  if (omitted > 0) items[0] += `;omitted=${omitted}`;
  return items.join(", ");
}

/** Formats an attempt, such as `openai/gpt-4o;key=a;reason=PROVIDER_UNAVAILABLE;ms=132`. */
function formatAttempt({ target, credential, failureReason, duration, firstOutputDuration }: Attempt): string {
  const took = duration ?? firstOutputDuration;
  return [
    formatItem(target, longestTarget),
    ...(credential === "" ? [] : [`key=${formatItem(credential, longestKey)}`]),
    ...(failureReason === "" ? [] : [`reason=${formatItem(failureReason, longestKey)}`]),
    ...(took === undefined ? [] : [`ms=${Math.round(durationMs(took))}`]),
  ].join(";");
}
