import type { IncomingHttpHeaders } from "node:http";
import { firstOf } from "./attempt-headers.ts";

/** Maximum delay in ms: one day. Providers send any number. */
const longestMs = 24 * 60 * 60 * 1000;

/**
 * Headers with a delay in ms. OpenAI and Azure send the first one. Azure's client also reads the second one, and
 * Amazon's the third one (https://github.com/Azure/azure-sdk-for-js, throttlingRetryStrategy.ts;
 * https://github.com/smithy-lang/smithy-typescript, parseRetryAfterHeader.ts).
 */
const inMilliseconds = ["retry-after-ms", "x-ms-retry-after-ms", "x-amz-retry-after"];

/** Precision of `retry-after` in ms. A header in ms that differs by more contradicts it. */
const secondMs = 1000;

/**
 * Returns the provider's requested retry delay in ms, from 0 to a day: from `retry-after-ms` and the like, and from
 * `retry-after` (seconds or HTTP date). If both are valid, the one in ms is more precise; but if they differ by more than
 * a second, the larger one counts. Undefined if no header is valid.
 * https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
 */
export function retryAfterMs(headers: IncomingHttpHeaders, now: number): number | undefined {
  const [precise] = inMilliseconds.flatMap((name) => numberOf(firstOf(headers[name])) ?? []);
  const whole = wholeDelayMs(firstOf(headers["retry-after"])?.trim() ?? "", now);
  if (precise === undefined || whole === undefined) {
    const delay = precise ?? whole;
    return delay === undefined ? undefined : bounded(delay);
  }
  return bounded(Math.abs(precise - whole) <= secondMs ? precise : Math.max(precise, whole));
}

/** Returns the delay in ms of `retry-after`. Undefined: it has none. */
function wholeDelayMs(text: string, now: number): number | undefined {
  const seconds = numberOf(text);
  if (seconds !== undefined) return seconds * 1000;
  const date = dateOf(text);
  return date === undefined ? undefined : date - now;
}

/** Statuses of responses that exhausted limits can explain. */
const limitedStatuses: ReadonlySet<number> = new Set([429, 503]);

/**
 * Returns the time in ms, from 0 to a day, until the exhausted limits of a provider have room again, for a response
 * with status 429 or 503 that requests no delay. The longest time counts, because each of the limits rejects requests.
 * Undefined if no limit says that nothing remains: the time of a limit with room is no reason to wait.
 *
 * - `x-ratelimit-reset`, `x-ratelimit-reset-tokens`, `-requests-day` and so on, with `-remaining`: most providers, as
 *   seconds, Go duration, or time of day. https://platform.openai.com/docs/guides/rate-limits,
 *   https://console.groq.com/docs/rate-limits, https://inference-docs.cerebras.ai/support/rate-limits
 * - `anthropic-ratelimit-tokens-reset` and so on. https://platform.claude.com/docs/en/api/rate-limits#response-headers
 * - `ratelimit-reset`, and `ratelimit` with several limits.
 *   https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/ (drafts 06, 07 and 10)
 */
export function limitResetMs(headers: IncomingHttpHeaders, status: number, now: number): number | undefined {
  if (!limitedStatuses.has(status)) return undefined;
  const delays = exhaustedItems(firstOf(headers.ratelimit) ?? "");
  for (const name in headers) {
    const remainingName = remainingNameOf(name);
    if (remainingName === undefined) continue;
    const remaining = firstOf(headers[remainingName]);
    // An API with a single limit may omit what remains: the status says that nothing does.
    const isExhausted = remaining === undefined ? isOnlyLimit(name) : isZero(remaining);
    if (isExhausted) delays.push(resetMs(firstOf(headers[name])?.trim() ?? "", now) ?? Number.NaN);
  }
  const valid = delays.filter((delay) => !Number.isNaN(delay));
  return valid.length === 0 ? undefined : bounded(Math.max(...valid));
}

/** Returns the header with what remains of the limit whose reset a header states. Undefined for other headers. */
function remainingNameOf(name: string): string | undefined {
  if (!name.includes("ratelimit")) return undefined;
  const [, prefix, limit] = /^(x-ratelimit)-reset(-.+)?$/.exec(name) ?? [];
  if (prefix !== undefined) return `${prefix}-remaining${limit ?? ""}`;
  const [, own] = /^((?:anthropic-)?ratelimit(?:-.+)?)-reset$/.exec(name) ?? [];
  return own === undefined ? undefined : `${own}-remaining`;
}

const isOnlyLimit = (name: string) => name === "x-ratelimit-reset" || name === "ratelimit-reset";

const isZero = (text: string) => /^\s*(?:0+(?:\.0*)?|-\d+(?:\.\d+)?)\s*$/.test(text);

/** Returns the delays in ms of the exhausted limits in `"default";r=0;t=5` or `limit=10, remaining=0, reset=5`. */
function exhaustedItems(value: string): number[] {
  const items = /\bremaining=/.test(value) ? [value] : value.replaceAll(/"[^"]*"/g, "").split(",");
  return items.flatMap((item) => {
    const remaining = /[;,\s](?:r|remaining)=(-?[\d.]+)/.exec(` ${item}`)?.[1];
    const seconds = numberOf(/[;,\s](?:t|reset)=([\d.]+)/.exec(` ${item}`)?.[1]);
    return remaining !== undefined && isZero(remaining) && seconds !== undefined ? [seconds * 1000] : [];
  });
}

const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/**
 * Returns the delay in ms until a reset: a number of seconds, seconds or milliseconds since 1970, a Go duration such as
 * `6m0s`, an RFC 3339 time or an HTTP date. OpenRouter sends milliseconds since 1970. A delay of 30 years is none, so
 * that larger numbers are times.
 */
function resetMs(text: string, now: number): number | undefined {
  const number = numberOf(text);
  if (number !== undefined) return number < 1e9 ? number * 1000 : number < 1e11 ? number * 1000 - now : number - now;
  if (/^(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+$/.test(text)) {
    const parts = [...text.matchAll(/([\d.]+)([a-zµ]+)/g)];
    return parts.reduce((sum, [, count, unit = ""]) => sum + Number(count) * (unitMs[unit] ?? 0), 0);
  }
  const date = dateOf(text);
  return date === undefined ? undefined : date - now;
}

/** Returns a date in ms since 1970. Date.parse alone would accept "-3" as a date. */
function dateOf(text: string): number | undefined {
  const date = /^(?:[a-z]{3,}|\d{4}-\d\d-\d\dT)/i.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? undefined : date;
}

/** Returns a number of at least 0. Infinity if it has too many digits. */
function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\s*\d+(?:\.\d+)?\s*$/.test(text) ? Number(text) : undefined;
}

function bounded(delayMs: number): number {
  return Math.ceil(Math.min(Math.max(0, delayMs), longestMs));
}
