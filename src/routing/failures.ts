import { GatewayError, type Reason, toGatewayError } from "../errors.ts";

/**
 * What a call does after a failed attempt.
 *
 * - again: tries the same target once more, or another one
 * - key: takes another key of the same target, then another target
 * - elsewhere: takes another target
 * - larger: takes another target with a larger context window
 * - never: fails
 */
export type NextStep = "again" | "key" | "elsewhere" | "larger" | "never";

const steps: Partial<Record<Reason, NextStep>> = {
  PROVIDER_UNAVAILABLE: "again",
  PROVIDER_TIMEOUT: "again",
  PROVIDER_STREAM_INTERRUPTED: "again",
  PROVIDER_RATE_LIMITED: "key",
  PROVIDER_CREDENTIALS_REJECTED: "key",
  PROVIDER_QUOTA_EXHAUSTED: "key",
  PROVIDER_PERMISSION_DENIED: "key",
  QUEUE_FULL: "elsewhere",
  PROVIDER_FAULT: "elsewhere",
  CONTEXT_LENGTH_EXCEEDED: "larger",
};

/** What the provider reported, also in the middle of a response that broke off because of it. */
export function reportedIn({ reason, facts }: GatewayError): {
  readonly reason: Reason;
  readonly retryAfterMs?: number;
} {
  const { brokenBy, retryAfterMs } = facts;
  // A malformed response breaks off as one that is cut.
  if (brokenBy !== undefined && brokenBy.reason !== "PROVIDER_FAULT") return brokenBy;
  return { reason, ...(retryAfterMs !== undefined && { retryAfterMs }) };
}

/** Returns what a call does after an attempt that failed before its commit point. */
export function nextStep(failure: unknown): NextStep {
  if (!(failure instanceof GatewayError)) return "never";
  const { reason } = reportedIn(failure);
  const { facts } = failure;
  // A broken response can be whole the next time. Other faults, such as a redirection, stay.
  if (reason === "PROVIDER_FAULT" && facts.interruption !== undefined) return "again";
  return steps[reason] ?? "never";
}

/**
 * Returns the error of a call whose attempts have all failed: the latest failure, with the shortest delay after which
 * one of the providers can be asked again.
 */
export function failureOfCall(failure: unknown, retryDelays: readonly number[]): GatewayError {
  const error = toGatewayError(failure);
  const shortest = Math.min(...retryDelays);
  const { retryAfterMs } = error.facts;
  if (!Number.isFinite(shortest) || retryAfterMs === shortest) return error;
  return error.with({ retryAfterMs: shortest });
}
