import { limitName } from "./limit-name.ts";
import type { Claim, Decision, Left, LimitStore } from "./limit-store.ts";
import { type Bucket, emptyBucket, fill, fits, leak, resetMs, waitMs } from "./rate.ts";

/** Time in ms after which a call that other calls in progress hold up should try again. */
export const retryMs = 1000;

/** What calls have taken of one limit. Unlike a bucket, `spent` and `held` do not leak. */
interface Counter {
  /** Nanodollars that calls have cost. 0 if the limit is `calls`. */
  spent: number;
  /** Nanodollars or calls that calls in progress hold. */
  held: number;
  /** End of a budget's period. */
  readonly endMs: number;
}

interface Verdict {
  readonly fits: boolean;
  readonly hold: number;
  readonly waitMs: number | undefined;
}

/** A call in progress, with what it holds of each claim. Undefined: nothing, as a shadow limit would have refused it. */
interface Holder {
  readonly claims: readonly Claim[];
  readonly holds: readonly (number | undefined)[];
}

/** Clock of the store. */
export interface LimitClock {
  /** Microseconds of a clock that is never set back. A whole number. */
  us(): number;
  /** Milliseconds since 1970. */
  ms(): number;
}

const systemClock: LimitClock = { us: () => Math.floor(performance.now() * 1000), ms: () => Date.now() };

/** How many limits each reservation looks at, to forget those that nobody uses any more. */
const sweptPerCall = 2;

/**
 * Counts limits in this process: exact if the process is the only one. What a call holds needs no expiry, since it ends
 * with the process. What a process has spent of its budgets ends with it, too.
 */
export class MemoryLimitStore implements LimitStore {
  readonly #clock: LimitClock;
  readonly #buckets = new Map<string, Bucket & { readonly limit: number }>();
  readonly #counters = new Map<string, Counter>();
  readonly #calls = new Map<string, Holder>();
  #sweep: Iterator<[string, Bucket & { readonly limit: number }]> | undefined;
  #counterSweep: Iterator<[string, Counter]> | undefined;

  constructor(clock: LimitClock = systemClock) {
    this.#clock = clock;
  }

  /** Number of limits that have a state, and of calls in progress. */
  get size(): { readonly limits: number; readonly calls: number } {
    return { limits: this.#buckets.size + this.#counters.size, calls: this.#calls.size };
  }

  reserve(callId: string, claims: readonly Claim[]): Decision {
    const nowUs = this.#clock.us();
    const verdicts = claims.map((claim) => this.#judge(claim, nowUs));
    const refusedBy = verdicts.findIndex((verdict, index) => !verdict.fits && !claims[index]?.shadow);
    if (refusedBy === -1) this.#take(callId, claims, verdicts, nowUs);
    this.#forget(nowUs);
    return {
      refusedBy: refusedBy === -1 ? undefined : refusedBy,
      waitMs: verdicts[refusedBy]?.waitMs,
      left: claims.map((claim) => this.#leftOf(claim, nowUs)),
      shadowed: verdicts.flatMap((verdict, index) => (verdict.fits || !claims[index]?.shadow ? [] : [index])),
      shared: true,
    };
  }

  /** Lets a call in, whatever is left. */
  force(callId: string, claims: readonly Claim[]): void {
    this.#take(
      callId,
      claims,
      claims.map(({ hold }) => ({ fits: true, hold })),
      this.#clock.us(),
    );
  }

  #take(
    callId: string,
    claims: readonly Claim[],
    verdicts: readonly Pick<Verdict, "fits" | "hold">[],
    nowUs: number,
  ): void {
    const holds = verdicts.map((verdict) => (verdict.fits ? verdict.hold : undefined));
    this.#calls.set(callId, { claims, holds });
    claims.forEach((claim, index) => {
      const hold = holds[index];
      if (hold !== undefined) this.#add(claim, hold, 0, nowUs);
    });
  }

  settle(callId: string, used: readonly number[]): void {
    const call = this.#calls.get(callId);
    if (call === undefined) return;
    this.#calls.delete(callId);
    const nowUs = this.#clock.us();
    call.claims.forEach((claim, index) => {
      const hold = call.holds[index];
      if (hold !== undefined) this.#add(claim, -hold, used[index] ?? 0, nowUs);
    });
  }

  left(claims: readonly Claim[]): readonly Left[] {
    const nowUs = this.#clock.us();
    return claims.map((claim) => this.#leftOf(claim, nowUs));
  }

  /** Calls `visit` with each bucket's name, limit and amount now. */
  eachBucket(visit: (name: string, limit: number, used: number) => void): void {
    const nowUs = this.#clock.us();
    for (const [name, bucket] of this.#buckets) visit(name, bucket.limit, leak(bucket, bucket.limit, nowUs).used);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #judge(claim: Claim, nowUs: number): Verdict {
    const { kind, limit, hold } = claim;
    switch (kind) {
      case "requests":
      case "tokens": {
        const bucket = this.#bucketOf(claim, nowUs);
        const isFitting = fits(bucket, limit, hold);
        return { fits: isFitting, hold, waitMs: isFitting ? undefined : waitMs(bucket, limit, hold) };
      }
      case "calls":
        return { fits: this.#counterOf(claim).held + hold <= limit, hold, waitMs: limit === 0 ? undefined : retryMs };
      case "budget":
        return judgeBudget(claim, this.#counterOf(claim), this.#clock.ms());
      default:
        return kind satisfies never;
    }
  }

  /** Adds to what calls in progress hold of a claim and, if it does not leak, to what calls have spent. */
  #add(claim: Claim, held: number, spent: number, nowUs: number): void {
    const name = limitName(claim);
    switch (claim.kind) {
      case "requests":
      case "tokens":
        this.#buckets.set(name, { ...fill(this.#bucketOf(claim, nowUs), held + spent), limit: claim.limit });
        return;
      case "calls":
      case "budget": {
        const counter = this.#counterOf(claim);
        counter.held += held;
        if (claim.kind === "budget") counter.spent += spent;
        if (counter.held === 0 && counter.spent === 0) this.#counters.delete(name);
        else this.#counters.set(name, counter);
        return;
      }
      default:
        claim.kind satisfies never;
    }
  }

  #leftOf(claim: Claim, nowUs: number): Left {
    const { kind, limit, period } = claim;
    if (kind === "requests" || kind === "tokens") {
      const bucket = this.#bucketOf(claim, nowUs);
      return { remaining: limit - bucket.used, resetMs: resetMs(bucket, limit), held: 0 };
    }
    const { spent, held } = this.#counterOf(claim);
    const isUsed = spent + held > 0;
    return {
      remaining: limit - spent - held,
      resetMs: isUsed && period !== undefined ? Math.max(0, period.endMs - this.#clock.ms()) : 0,
      held,
    };
  }

  #bucketOf(claim: Claim, nowUs: number): Bucket {
    const bucket = this.#buckets.get(limitName(claim));
    return bucket === undefined ? { ...emptyBucket, atUs: nowUs } : leak(bucket, claim.limit, nowUs);
  }

  #counterOf(claim: Claim): Counter {
    const known = this.#counters.get(limitName(claim));
    return known ?? { spent: 0, held: 0, endMs: claim.period?.endMs ?? Number.POSITIVE_INFINITY };
  }

  /** Forgets limits that are whole again. Looks at a few of them at a time, in turns. */
  #forget(nowUs: number): void {
    this.#sweep ??= this.#buckets.entries();
    this.#counterSweep ??= this.#counters.entries();
    for (let count = 0; count < sweptPerCall; count++) {
      const { value: bucket, done = false } = this.#sweep.next();
      if (done) this.#sweep = this.#buckets.entries();
      else if (leak(bucket[1], bucket[1].limit, nowUs).used === 0) this.#buckets.delete(bucket[0]);
      const { value: counter, done: isLast = false } = this.#counterSweep.next();
      if (isLast) this.#counterSweep = this.#counters.entries();
      else if (counter[1].held === 0 && counter[1].endMs < this.#clock.ms()) this.#counters.delete(counter[0]);
    }
  }
}

/** A call that costs nothing fits every budget. */
function judgeBudget(
  { limit, hold, flexible = false, period }: Claim,
  { spent, held }: Counter,
  nowMs: number,
): Verdict {
  const left = limit - spent - held;
  if (hold <= left || hold === 0) return { fits: true, hold, waitMs: undefined };
  if (flexible && left > 0) return { fits: true, hold: left, waitMs: undefined };
  if (hold <= limit - spent || (flexible && spent < limit)) return { fits: false, hold, waitMs: retryMs };
  const isPossible = period !== undefined && (hold <= limit || (flexible && limit > 0));
  return { fits: false, hold, waitMs: isPossible ? Math.max(0, period.endMs - nowMs) : undefined };
}
