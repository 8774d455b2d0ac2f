import { limitName } from "./limit-name.ts";
import type { Claim, Decision, Left, LimitStore } from "./limit-store.ts";
import { type Bucket, fill, fits, leak, resetMs, waitMs } from "./rate.ts";

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

/** State of the limit of a claim, while a call is decided or settles. */
type State =
  | { readonly name: string; readonly bucket: Bucket; readonly counter?: undefined }
  | { readonly name: string; readonly bucket?: undefined; readonly counter: Counter; readonly spentBefore: number };

interface Verdict {
  readonly fits: boolean;
  readonly hold: number;
  readonly waitMs: number | undefined;
}

/** A call in progress, with what it holds of each claim. Undefined: nothing, as a shadow limit would have refused it. */
interface Holder {
  readonly claims: readonly Claim[];
  /** Names of the limits. */
  readonly names: readonly string[];
  readonly holds: readonly (number | undefined)[];
}

/** Clock of the store. */
export interface LimitClock {
  /** Microseconds of a clock that is never set back. A whole number. */
  us(): number;
  /** Milliseconds since 1970. */
  ms(): number;
}

export const systemClock: LimitClock = { us: () => Math.floor(performance.now() * 1000), ms: () => Date.now() };

interface Options {
  readonly clock?: LimitClock;
  /** Returns what a budget had spent before this process counted it. Default: nothing. */
  readonly spentBefore?: (claim: Claim) => number;
}

/** How many limits each reservation looks at, to forget those that nobody uses any more. */
const sweptPerCall = 2;

/**
 * Counts limits in this process: exact if the process is the only one. What a call holds needs no expiry, since it ends
 * with the process.
 */
export class MemoryLimitStore implements LimitStore {
  readonly #clock: LimitClock;
  readonly #spentBefore: (claim: Claim) => number;
  readonly #buckets = new Map<string, Bucket & { readonly limit: number }>();
  readonly #counters = new Map<string, Counter>();
  readonly #calls = new Map<string, Holder>();
  #sweep: Iterator<[string, Bucket & { readonly limit: number }]> | undefined;
  #counterSweep: Iterator<[string, Counter]> | undefined;

  constructor({ clock = systemClock, spentBefore = () => 0 }: Options = {}) {
    this.#clock = clock;
    this.#spentBefore = spentBefore;
  }

  /** Number of limits that have a state, and of calls in progress. */
  get size(): { readonly limits: number; readonly calls: number } {
    return { limits: this.#buckets.size + this.#counters.size, calls: this.#calls.size };
  }

  reserve(callId: string, claims: readonly Claim[]): Decision {
    const nowUs = this.#clock.us();
    const nowMs = this.#clock.ms();
    const names = claims.map(limitName);
    const states: State[] = [];
    const holds: (number | undefined)[] = [];
    const shadowed: number[] = [];
    let refusedBy: number | undefined;
    let refusedForMs: number | undefined;
    for (const claim of claims) {
      const state = this.#read(claim, names[states.length] ?? "", nowUs);
      const verdict = judge(claim, state, nowMs);
      if (!verdict.fits && claim.shadow) shadowed.push(states.length);
      else if (!verdict.fits && refusedBy === undefined) {
        refusedBy = states.length;
        refusedForMs = verdict.waitMs;
      }
      states.push(state);
      holds.push(verdict.fits ? verdict.hold : undefined);
    }
    if (refusedBy === undefined) this.#calls.set(callId, { claims, names, holds });
    this.#forget(nowUs, nowMs);
    const left = claims.map((claim, index) => {
      const [state, hold] = [states[index], holds[index]];
      const next = hold === undefined || refusedBy !== undefined ? state : this.#add(claim, state, hold, 0);
      return leftOf(claim, next, nowMs);
    });
    return { refusedBy, waitMs: refusedForMs, left, shadowed, shared: true };
  }

  /** Lets a call in, whatever is left. */
  force(callId: string, claims: readonly Claim[]): void {
    const nowUs = this.#clock.us();
    const names = claims.map(limitName);
    this.#calls.set(callId, { claims, names, holds: claims.map(({ hold }) => hold) });
    claims.forEach((claim, index) => {
      this.#add(claim, this.#read(claim, names[index] ?? "", nowUs), claim.hold, 0);
    });
  }

  settle(callId: string, used: readonly number[]): void {
    const call = this.#calls.get(callId);
    if (call === undefined) return;
    this.#calls.delete(callId);
    const nowUs = this.#clock.us();
    call.claims.forEach((claim, index) => {
      const hold = call.holds[index];
      if (hold !== undefined)
        this.#add(claim, this.#read(claim, call.names[index] ?? "", nowUs), -hold, used[index] ?? 0);
    });
  }

  left(claims: readonly Claim[]): readonly Left[] {
    const [nowUs, nowMs] = [this.#clock.us(), this.#clock.ms()];
    return claims.map((claim) => leftOf(claim, this.#read(claim, limitName(claim), nowUs), nowMs));
  }

  /** Calls `visit` with each bucket's name, limit and amount now. */
  eachBucket(visit: (name: string, limit: number, used: number) => void): void {
    const nowUs = this.#clock.us();
    for (const [name, bucket] of this.#buckets) visit(name, bucket.limit, leak(bucket, bucket.limit, nowUs).used);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #read(claim: Claim, name: string, nowUs: number): State {
    if (isRate(claim)) {
      const bucket = this.#buckets.get(name);
      return {
        name,
        bucket: bucket === undefined ? { used: 0, part: 0, atUs: nowUs } : leak(bucket, claim.limit, nowUs),
      };
    }
    const endMs = claim.period?.endMs ?? Number.POSITIVE_INFINITY;
    const spentBefore = claim.kind === "budget" ? this.#spentBefore(claim) : 0;
    return { name, counter: this.#counters.get(name) ?? { spent: 0, held: 0, endMs }, spentBefore };
  }

  /** Adds to what calls in progress hold of a limit and, if it does not leak, to what calls have spent. */
  #add({ kind, limit }: Claim, state: State | undefined, held: number, spent: number): State | undefined {
    if (state?.bucket !== undefined) {
      const { name } = state;
      const { used, part, atUs } = fill(state.bucket, held + spent);
      const bucket = { used, part, atUs, limit };
      this.#buckets.set(name, bucket);
      return { name, bucket };
    }
    if (state !== undefined) {
      const { name, counter } = state;
      counter.held += held;
      if (kind === "budget") counter.spent += spent;
      if (counter.held === 0 && counter.spent === 0) this.#counters.delete(name);
      else this.#counters.set(name, counter);
    }
    return state;
  }

  /** Forgets limits that are whole again. Looks at a few of them at a time, in turns. */
  #forget(nowUs: number, nowMs: number): void {
    this.#sweep ??= this.#buckets.entries();
    this.#counterSweep ??= this.#counters.entries();
    for (let count = 0; count < sweptPerCall; count++) {
      const { value: bucket, done = false } = this.#sweep.next();
      if (done) this.#sweep = this.#buckets.entries();
      else if (leak(bucket[1], bucket[1].limit, nowUs).used === 0) this.#buckets.delete(bucket[0]);
      const { value: counter, done: isLast = false } = this.#counterSweep.next();
      if (isLast) this.#counterSweep = this.#counters.entries();
      else if (counter[1].held === 0 && counter[1].endMs < nowMs) this.#counters.delete(counter[0]);
    }
  }
}

function isRate({ kind }: Pick<Claim, "kind">): boolean {
  return kind === "requests" || kind === "tokens";
}

function judge(claim: Claim, state: State | undefined, nowMs: number): Verdict {
  const { kind, limit, hold } = claim;
  if (state?.bucket !== undefined) {
    const isFitting = fits(state.bucket, limit, hold);
    return { fits: isFitting, hold, waitMs: isFitting ? undefined : waitMs(state.bucket, limit, hold) };
  }
  const counter = sumOf(state);
  if (kind === "budget") return judgeBudget(claim, counter, nowMs);
  return { fits: counter.held + hold <= limit, hold, waitMs: limit === 0 ? undefined : retryMs };
}

function leftOf({ limit, period }: Claim, state: State | undefined, nowMs: number): Left {
  if (state?.bucket !== undefined) {
    return { remaining: limit - state.bucket.used, resetMs: resetMs(state.bucket, limit), held: 0 };
  }
  const { spent, held } = sumOf(state);
  const isUsed = spent + held > 0;
  const wholeMs = isUsed && period !== undefined ? Math.max(0, period.endMs - nowMs) : 0;
  return { remaining: limit - spent - held, resetMs: wholeMs, held };
}

/** Returns what all processes have spent, as far as this one knows, and what its calls hold. */
function sumOf(state: State | undefined): Pick<Counter, "spent" | "held"> {
  if (state?.counter === undefined) return { spent: 0, held: 0 };
  return { spent: state.counter.spent + state.spentBefore, held: state.counter.held };
}

/** Decides whether a claim fits its budget. A call that costs nothing fits every one. */
export function judgeBudget(
  { limit, hold, flexible = false, period }: Claim,
  { spent, held }: Pick<Counter, "spent" | "held">,
  nowMs: number,
): Verdict {
  const left = limit - spent - held;
  if (hold <= left || hold === 0) return { fits: true, hold, waitMs: undefined };
  if (flexible && left > 0) return { fits: true, hold: left, waitMs: undefined };
  if (hold <= limit - spent || (flexible && spent < limit)) return { fits: false, hold, waitMs: retryMs };
  const isPossible = period !== undefined && (hold <= limit || (flexible && limit > 0));
  return { fits: false, hold, waitMs: isPossible ? Math.max(0, period.endMs - nowMs) : undefined };
}
