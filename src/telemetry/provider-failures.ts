import type { GatewayError } from "../errors.ts";
import type { CallObserver } from "../ledger/call-observer.ts";
import type { Log } from "./log.ts";

/** Interval in ms between two lines about the same kind of failure. */
const intervalMs = 1000;

/** Failures of one kind: a provider and an error code. */
interface Kind {
  /** Time of the last line, as `performance.now`. */
  lastMs: number;
  /** Failures since then. */
  omitted: number;
}

/** Maximum kinds that are remembered. Providers and error codes are few. */
const mostKinds = 1000;

/**
 * Logs why connections to providers fail: the address and the error code, which callers do not see. Logs at most one
 * line per second for the same provider and code, with the number of the omitted ones.
 */
export class ProviderFailures {
  readonly #log: Log;
  readonly #kinds = new Map<string, Kind>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** Notes the failure of an attempt, also if a later attempt of the call succeeds. Ignores errors without a cause. */
  note(id: string, { reason, message, facts, cause }: GatewayError): void {
    if (facts.provider === undefined || !(cause instanceof Error) || !("host" in cause && "code" in cause)) return;
    const { provider } = facts.provider;
    const name = `${provider} ${cause.code}`;
    const now = performance.now();
    const kind = this.#kinds.get(name);
    if (kind !== undefined && now - kind.lastMs < intervalMs) {
      kind.omitted++;
      return;
    }
    if (this.#kinds.size >= mostKinds) this.#kinds.clear();
    this.#kinds.set(name, { lastMs: now, omitted: 0 });
    const omitted = kind?.omitted || undefined;
    this.#log.warn({ id, provider, reason, omitted, err: cause }, message);
  }
}

/** Creates the observer that notes the failures of attempts. */
export function createProviderFailureLog(log: Log): CallObserver {
  const failures = new ProviderFailures(log);
  return { attemptFailed: ({ id }, failure) => failures.note(id, failure) };
}
