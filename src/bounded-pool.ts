import { GatewayError } from "./errors.ts";

/** What those that are turned away are told. */
interface PoolFullDetails {
  /** What is waited for, such as `the local model`. */
  readonly thing: string;
  /** How long to wait before asking again, in milliseconds. */
  readonly retryAfterMs: number;
}

interface Waiter<T> {
  readonly resolve: (item: T) => void;
}

/** Hands out a fixed set of things, first come first served, to at most so many that wait. */
export class BoundedPool<T> {
  readonly #free: T[];
  readonly #maxWaiting: number;
  readonly #notice: PoolFullDetails;
  // A set keeps the order of insertion, and one that gives up leaves it at once.
  readonly #waiting = new Set<Waiter<T>>();

  constructor(items: readonly T[], maxWaiting: number, notice: PoolFullDetails) {
    this.#free = [...items];
    this.#maxWaiting = maxWaiting;
    this.#notice = notice;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Waits for a thing. Throws QUEUE_FULL when too many wait already, and the signal's reason when it fires. */
  async take(signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    const item = this.#free.pop();
    if (item !== undefined) return item;
    if (this.#waiting.size >= this.#maxWaiting) {
      const { thing, retryAfterMs } = this.#notice;
      throw new GatewayError("QUEUE_FULL", `too many requests wait for ${thing}; ask again later`, {
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

  /** Gives a thing back: to the one that waits longest. */
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
