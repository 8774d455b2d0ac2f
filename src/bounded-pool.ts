import { type Claimant, FairSlots, type QueueNotice } from "./fair-slots.ts";

/** Pool of a fixed set of items, with a bounded queue that is fair between accounts. */
export class BoundedPool<T> {
  readonly #slots: FairSlots;
  /** At least as many as there are slots whose item was not yet taken. */
  readonly #free: T[];

  constructor(items: readonly T[], maxWaiting: number, notice: QueueNotice) {
    this.#free = [...items];
    this.#slots = new FairSlots(items.length, maxWaiting, notice);
  }

  get waiting(): number {
    return this.#slots.waiting;
  }

  /**
   * Returns a free item, or a promise of one. Throws or rejects with QUEUE_FULL if the queue is full, and with the
   * signal's reason if the signal fires.
   */
  take(claimant: Claimant): T | Promise<T> {
    const wait = this.#slots.take(claimant);
    return wait === undefined ? this.#pop() : wait.then(() => this.#pop());
  }

  /** Returns an item to the pool, or passes it to the next call. */
  give(item: T): void {
    this.#free.push(item);
    this.#slots.release();
  }

  #pop(): T {
    const item = this.#free.pop();
    if (item === undefined) throw new Error("a slot has no item");
    return item;
  }
}
