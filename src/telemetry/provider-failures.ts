import type { CallObserver } from "../ledger/call-observer.ts";
import type { Log } from "./log.ts";
import { SampledLog } from "./sampled-log.ts";

/**
 * Creates the observer that logs why connections to providers fail, also if a later attempt of the call succeeds: the
 * address and the error code, which callers do not see. Logs at most one line per second for the same provider and code.
 */
export function createProviderFailureLog(log: Log): CallObserver {
  const lines = new SampledLog(log);
  return {
    attemptFailed({ id }, _, { reason, message: problem, facts, cause }) {
      if (facts.provider === undefined || !(cause instanceof Error) || !("host" in cause && "code" in cause)) return;
      const { provider } = facts.provider;
      lines.write(`${provider} ${cause.code}`, {
        level: "warn",
        fields: { id, provider, reason, problem, err: cause },
        message: "the connection to a provider failed",
      });
    },
  };
}
