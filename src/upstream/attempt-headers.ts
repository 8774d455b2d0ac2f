import type { IncomingHttpHeaders } from "node:http";
import type { Attempt } from "../gen/dragoman/v1/attempt_pb.js";

/** Names, in lower case, of the response headers that a provider uses for its request id and rate limits. */
export interface AttemptHeaders {
  /** Headers for Attempt.provider_request_id; the first one present is used. */
  readonly requestId: readonly string[];
  /** Prefixes of all headers for Attempt.provider_limits. */
  readonly limitPrefixes: readonly string[];
}

/** Maximum rate limit headers of one response. Providers send at most 15. */
const mostLimits = 32;
/** Maximum characters of a request id or a rate limit header. */
const longestValue = 128;

/**
 * Adds the status, the request id and the rate limits of a response to its attempt. Dragoman sends them on as gRPC
 * metadata and HTTP headers, so it omits headers that gRPC does not allow, or whose values are too long or have one of
 * its own credentials (`secrets`).
 */
export function noteHeaders(
  attempt: Attempt,
  status: number,
  headers: IncomingHttpHeaders,
  { requestId, limitPrefixes }: AttemptHeaders,
  secrets: () => readonly string[],
): void {
  let known: readonly string[] | undefined;
  const isShown = (value: string): boolean => {
    known ??= secrets();
    return isPlain(value) && !known.some((secret) => value.includes(secret));
  };
  attempt.httpStatus = status;
  let id = "";
  for (const name of requestId) id ||= firstOf(headers[name]) ?? "";
  attempt.providerRequestId = id !== "" && isShown(id) ? id : "";
  let count = 0;
  for (const name in headers) {
    if (!hasPrefix(name, limitPrefixes)) continue;
    const value = firstOf(headers[name]);
    if (!value || !isShown(value) || !isMetadataKey(name) || count >= mostLimits) continue;
    attempt.providerLimits[name] = withinRange(value);
    count++;
  }
}

function hasPrefix(name: string, prefixes: readonly string[]): boolean {
  for (const prefix of prefixes) if (name.startsWith(prefix)) return true;
  return false;
}

/** Returns the first value of a header. */
export function firstOf(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

/** Whether a value is short printable ASCII. */
function isPlain(value: string): boolean {
  return value.length <= longestValue && /^[ -~]*$/.test(value);
}

/** Whether gRPC allows a metadata key for text. Keys that end in `-bin` are for bytes. */
function isMetadataKey(name: string): boolean {
  return name.length <= longestValue && /^[\da-z_.-]+$/.test(name) && !name.endsWith("-bin");
}

/** Limits a number to the integers that JSON clients read exactly. Other values, such as `6m0s`, stay unchanged. */
function withinRange(value: string): string {
  const isNumber = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value) || /^[+-]?(infinity|inf|nan)$/i.test(value);
  if (!isNumber) return value;
  const number = Number(value.replace(/inf(inity)?/i, "Infinity")) || 0;
  if (number < 0) return "0";
  return number > Number.MAX_SAFE_INTEGER ? String(Number.MAX_SAFE_INTEGER) : value;
}
