import type { GatewayError } from "../errors.ts";
import type { CallObserver } from "../ledger/call-observer.ts";
import { Sampled } from "../sampled.ts";
import type { Log } from "./log.ts";

/** Interval in ms between two lines about the same kind of failure. */
const intervalMs = 1000;

/** Connection to a provider that failed. */
interface FailedConnection {
  /** Id of the call. */
  readonly id: string;
  readonly provider: string;
  readonly failure: GatewayError;
}

/**
 * Creates the observer that logs why connections to providers fail, also if a later attempt of the call succeeds: the
 * address and the error code, which callers do not see. Logs at most one line per second for the same provider and code.
 */
export function createProviderFailureLog(log: Log): CallObserver {
  const lines = new Sampled<FailedConnection>({
    intervalMs,
    pass({ id, provider, failure: { reason, message, cause } }, omitted) {
      log.warn(
        { id, provider, reason, omitted: omitted || undefined, problem: message, err: cause },
        "the connection to a provider failed",
      );
    },
  });
  return {
    attemptFailed({ id }, _, failure) {
      const { facts, cause } = failure;
      if (facts.provider === undefined || !(cause instanceof Error) || !("host" in cause && "code" in cause)) return;
      const { provider } = facts.provider;
      lines.add(`${provider} ${cause.code}`, { id, provider, failure });
    },
  };
}
