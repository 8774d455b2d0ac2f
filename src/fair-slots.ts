import { GatewayError } from "./errors.ts";

/** A call that needs a slot. */
export interface Claimant {
  /** Account of the call, or its API key if it has no account. Queues are fair between holders. */
  readonly holder: string;
  /** Ends the wait. The signal's reason is a GatewayError. */
  readonly signal: AbortSignal;
}

/** Details of a queue for its QUEUE_FULL error. */
export interface QueueNotice {
  /** What calls wait for, such as `the local model`. */
  readonly thing: string;
  /** Delay before a retry, in milliseconds. */
  readonly retryAfterMs: number;
  /** Facts of the error, beside the name of the queue and the number of waiting calls. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** A call in the queue. Both methods take it out of the queue. */
interface Waiter {
  serve(): void;
  reject(error: unknown): void;
}

/**
 * A fixed number of slots, and a bounded queue of calls that wait for one.
 *
 * Free slots go to the holders in turn, and to the calls of one holder in order of arrival. A holder with many waiting
 * or long calls therefore delays another holder's first call by at most one turn.
 *
 * If the queue is full, a new call takes the place of the newest call of the holder with the most waiting calls, unless
 * its own holder would then have more. That call gets QUEUE_FULL: nothing was sent for it, and it had the longest wait
 * ahead. With a fixed share for each holder instead, a single holder could not use the whole queue.
 *
 * With a bound per holder, a call of a holder at its bound waits even if a slot is free, and keeps its turn. The slots
 * that are left are for other holders: no holder can occupy all of them with long calls.
 */
export class FairSlots {
  #free: number;
  readonly #maxWaiting: number;
  readonly #notice: QueueNotice;
  /**
   * Waiting calls by holder, in the order of the holders' next turns. Sets keep the order of arrival, and remove a call
   * from any position at once. No set is empty.
   */
  readonly #queue = new Map<string, Set<Waiter>>();
  #waiting = 0;
  readonly #maxPerHolder: number;
  /** Slots of each holder that has any. Undefined: there is no bound per holder. */
  readonly #taken: Map<string, number> | undefined;

  /**
   * @param count number of slots
   * @param maxPerHolder maximum number of slots of one holder. Default: no bound.
   */
  constructor(count: number, maxWaiting: number, notice: QueueNotice, maxPerHolder = count) {
    this.#free = count;
    this.#maxWaiting = maxWaiting;
    this.#notice = notice;
    this.#maxPerHolder = maxPerHolder;
    this.#taken = maxPerHolder < count ? new Map() : undefined;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /**
   * Takes a slot, to be released once. Returns undefined if a slot was free: most are, and awaiting a promise slows
   * every call. Else returns a promise of the slot, which rejects with QUEUE_FULL, or with the signal's reason if the
   * signal fires first. Throws the same errors.
   */
  take(claimant: Claimant): undefined | Promise<void> {
    claimant.signal.throwIfAborted();
    if (this.#free > 0 && this.#isBelowBound(claimant.holder)) {
      this.#free--;
      this.#count(claimant.holder, 1);
      return undefined;
    }
    if (this.#waiting >= this.#maxWaiting) this.#makeRoom(claimant.holder);
    return this.#wait(claimant);
  }

  /** Releases a slot of a call, or passes it to the next call. */
  release({ holder: releasing }: Pick<Claimant, "holder">): void {
    this.#count(releasing, -1);
    // At most `count / maxPerHolder` holders are at their bound, so this loop is short.
    for (const [holder, waiters] of this.#queue) {
      if (!this.#isBelowBound(holder)) continue;
      // Moves the holder behind all others.
      this.#queue.delete(holder);
      this.#queue.set(holder, waiters);
      this.#count(holder, 1);
      const [first] = waiters;
      first?.serve();
      return;
    }
    this.#free++;
  }

  #isBelowBound(holder: string): boolean {
    return this.#taken === undefined || (this.#taken.get(holder) ?? 0) < this.#maxPerHolder;
  }

  #count(holder: string, change: 1 | -1): void {
    if (this.#taken === undefined) return;
    const taken = (this.#taken.get(holder) ?? 0) + change;
    if (taken === 0) this.#taken.delete(holder);
    else this.#taken.set(holder, taken);
  }

  #wait({ holder, signal }: Claimant): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        signal.removeEventListener("abort", onAbort);
        this.#remove(holder, waiter);
      };
      const waiter: Waiter = {
        serve() {
          leave();
          resolve();
        },
        reject(error) {
          leave();
          reject(error);
        },
      };
      const onAbort = () => waiter.reject(signal.reason);
      signal.addEventListener("abort", onAbort);
      const waiters = this.#queue.get(holder);
      if (waiters === undefined) this.#queue.set(holder, new Set([waiter]));
      else waiters.add(waiter);
      this.#waiting++;
    });
  }

  #remove(holder: string, waiter: Waiter): void {
    const waiters = this.#queue.get(holder);
    waiters?.delete(waiter);
    if (waiters?.size === 0) this.#queue.delete(holder);
    this.#waiting--;
  }

  /** Removes a call from the full queue for a new call of the holder. Throws QUEUE_FULL if that would not be fair. */
  #makeRoom(holder: string): void {
    const own = this.#queue.get(holder)?.size ?? 0;
    let longest: ReadonlySet<Waiter> = new Set();
    for (const waiters of this.#queue.values()) if (waiters.size > longest.size) longest = waiters;
    const { thing, retryAfterMs, metadata } = this.#notice;
    const full = new GatewayError("QUEUE_FULL", `the queue for ${thing} is full; retry later`, {
      retryAfterMs,
      metadata: { ...metadata, bound: `queue for ${thing}`, waiting: String(this.#waiting) },
    });
    if (longest.size <= own + 1) throw full;
    [...longest].at(-1)?.reject(full);
  }
}
