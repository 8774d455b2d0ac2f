import { type GatewayError, type Reason, toGatewayError } from "../errors.ts";
import { type Candidate, type CandidateRoute, chooseKey } from "./candidate.ts";
import { nextStep, reportedIn } from "./failures.ts";
import type { TargetKey } from "./keys.ts";
import type { Next, SearchedCall, SharedSearch } from "./next-attempt.ts";
import { SmallMap } from "./small-map.ts";

/** What a call knows about a candidate that it has tried. */
export interface Tried {
  attempts: number;
  /** Keys that the provider did not accept since the latest attempt that counts. */
  keys: Set<TargetKey> | undefined;
  /** When the next attempt may start, on the clock. Infinity: never. */
  notBeforeMs: number;
  /** Whether any other candidate is better: it sent no output in time, or its provider requested a wait. */
  isLast: boolean;
  /** Whether the latest attempt was made although the breaker was open. */
  isForced: boolean;
}

export const noKeys: ReadonlySet<TargetKey> = new Set();

/** Whether a target without keys may accept a request that it rejected: later, or once more with a new token. */
function canAccept(reason: Reason, attempts: number): boolean {
  return reason === "PROVIDER_RATE_LIMITED" || (reason === "PROVIDER_CREDENTIALS_REJECTED" && attempts === 1);
}

/** What one call has found out about its candidates. */
export class CallHistory<Member extends Candidate, Plan> {
  readonly tried = new SmallMap<Member, Tried>();
  readonly plans = new SmallMap<Member, Plan>();
  /** Candidates that cannot serve the request, with the reason. */
  readonly rejected = new SmallMap<Member, GatewayError>();
  /** Reasons of the latest failures. */
  readonly failures = new SmallMap<Member, Reason>();
  /** Candidate whose other keys come before other candidates. */
  walk: Member | undefined;
  /** Whether an attempt took so long that the time may become short. */
  isShort = false;
  /** Attempts so far. Those that only moved to another key of a target count as one. */
  made = 0;
  /** Attempts that a full queue rejected: nobody was asked. The failure of a hedge can be reported twice. */
  #unsent: Set<Next<Member, Plan>> | undefined;
  readonly #call: SearchedCall<Member, Plan>;
  readonly #route: CandidateRoute<Member>;
  readonly #shared: SharedSearch;

  constructor(call: SearchedCall<Member, Plan>, route: CandidateRoute<Member>, shared: SharedSearch) {
    this.#call = call;
    this.#route = route;
    this.#shared = shared;
    for (const { members } of route.tiers) {
      for (const member of members) if (member.obstacle !== undefined) this.rejected.set(member, member.obstacle);
    }
  }

  /** Attempts so far that count for the maximum of the call. */
  get counted(): number {
    return this.made - (this.#unsent?.size ?? 0);
  }

  /** Prepares the request for a candidate. Returns false if the candidate cannot serve it. */
  async prepare(candidate: Member): Promise<boolean> {
    try {
      this.plans.set(candidate, await this.#call.plan(candidate));
      return true;
    } catch (error) {
      if (this.#call.signal.aborted) throw error;
      const rejection = toGatewayError(error);
      if (rejection.reason === "INTERNAL") throw error;
      this.rejected.set(candidate, rejection);
      return false;
    } finally {
      this.#call.signal.throwIfAborted();
    }
  }

  /** An attempt starts. */
  begin({ candidate, isForced }: Next<Member, Plan>): void {
    const isWalk = candidate === this.walk;
    this.walk = undefined;
    let tried = this.tried.get(candidate);
    if (tried === undefined) {
      tried = { attempts: 0, keys: undefined, notBeforeMs: 0, isLast: false, isForced: false };
      this.tried.set(candidate, tried);
    }
    tried.isForced = isForced;
    if (isWalk) return;
    this.made++;
    tried.attempts++;
    tried.keys = undefined;
  }

  /** An attempt has failed. `isSilent`: it sent no output in time. */
  fail(next: Next<Member, Plan>, failure: GatewayError, isSilent: boolean): void {
    const { candidate, key } = next;
    const tried = this.tried.get(candidate);
    if (tried === undefined) return;
    const { reason, retryAfterMs } = reportedIn(failure);
    const requestsWait = (retryAfterMs ?? 0) > 0;
    this.failures.set(candidate, failure.reason);
    if (reason === "QUEUE_FULL" && tried.keys === undefined) {
      this.#unsent ??= new Set();
      this.#unsent.add(next);
    }
    switch (nextStep(failure)) {
      case "again":
        this.isShort ||= isSilent;
        tried.isLast ||= isSilent || requestsWait;
        tried.notBeforeMs =
          failure.facts.retryHere === false ? Number.POSITIVE_INFINITY : this.#backoff(tried, retryAfterMs);
        break;
      case "key":
        tried.keys ??= new Set();
        tried.keys.add(key);
        // The wait for a limited key is that of the key.
        if (key.key !== undefined) tried.notBeforeMs = this.#shared.clock.now();
        else if (canAccept(reason, tried.attempts)) {
          tried.isLast ||= requestsWait;
          tried.notBeforeMs = this.#backoff(tried, retryAfterMs);
        } else tried.notBeforeMs = Number.POSITIVE_INFINITY;
        if (this.hasFurtherKey(candidate)) this.walk = candidate;
        break;
      case "larger":
        this.#rejectSmaller(candidate, failure);
        break;
      default:
        this.rejected.set(candidate, failure);
    }
  }

  /** Whether the next key of a candidate can be tried. Other calls and an attempt beside it can have changed this. */
  canWalk(candidate: Member): boolean {
    if (this.rejected.has(candidate) || !this.hasFurtherKey(candidate)) return false;
    return candidate.state.breaker.isUsable || (this.tried.get(candidate)?.isForced ?? false);
  }

  /** Whether a candidate has a key that may be used now and that the call has not tried in its present attempt. */
  hasFurtherKey(candidate: Member): boolean {
    return chooseKey(candidate, this.tried.get(candidate)?.keys ?? noKeys, undefined, () => 0) !== undefined;
  }

  /** Returns when the next attempt at a candidate may start: with full jitter, and as late as the provider requests. */
  #backoff({ attempts }: Tried, retryAfterMs = 0): number {
    const { backoff, retryAfterUpToMs } = this.#route.rules;
    if (retryAfterMs > retryAfterUpToMs) return Number.POSITIVE_INFINITY;
    const longestMs = Math.min(backoff.maxMs, backoff.initialMs * 2 ** (attempts - 1));
    return this.#shared.clock.now() + Math.max(retryAfterMs, this.#shared.draws.next() * longestMs);
  }

  /** Rejects a candidate for which the prompt is too long, and those whose context windows are not larger. */
  #rejectSmaller(candidate: Member, failure: GatewayError): void {
    this.rejected.set(candidate, failure);
    const window = candidate.windowTokens;
    for (const { members } of this.#route.tiers) {
      for (const member of members) {
        if (member.windowTokens <= window && !this.rejected.has(member)) this.rejected.set(member, failure);
      }
    }
  }
}
