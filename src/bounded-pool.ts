import { GatewayError } from "./errors.ts";

/** Details of the QUEUE_FULL error. */
interface PoolFullDetails {
  /** What requests wait for, such as `the local model`. */
  readonly thing: string;
  /** Delay before a retry, in milliseconds. */
  readonly retryAfterMs: number;
}

interface Waiter<T> {
  readonly resolve: (item: T) => void;
}

/** Pool of a fixed set of items, first come, first served, with at most `maxWaiting` waiting requests. */
export class BoundedPool<T> {
  readonly #free: T[];
  readonly #maxWaiting: number;
  readonly #notice: PoolFullDetails;
  // A Set keeps insertion order and can remove a cancelled waiter from any position.
  readonly #waiting = new Set<Waiter<T>>();

  constructor(items: readonly T[], maxWaiting: number, notice: PoolFullDetails) {
    this.#free = [...items];
    this.#maxWaiting = maxWaiting;
    this.#notice = notice;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Waits for an item. Throws QUEUE_FULL if the queue is full, and the signal's reason if the signal fires. */
  async take(signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    const item = this.#free.pop();
    if (item !== undefined) return item;
    if (this.#waiting.size >= this.#maxWaiting) {
      const { thing, retryAfterMs } = this.#notice;
      throw new GatewayError("QUEUE_FULL", `the queue for ${thing} is full; retry later`, {
        retryAfterMs,
        metadata: { waiting: String(this.#waiting.size) },
      });
    }
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const waiter = { resolve };
    const onAbort = () => {
      this.#waiting.delete(waiter);
      reject(signal.reason);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    this.#waiting.add(waiter);
    try {
      return await promise;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  /** Returns an item to the pool, or passes it to the request that has waited longest. */
  give(item: T): void {
    const [first] = this.#waiting;
    if (first === undefined) {
      this.#free.push(item);
    } else {
      this.#waiting.delete(first);
      first.resolve(item);
    }
  }
}
