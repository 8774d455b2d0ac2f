import { type Claimant, FairSlots, type QueueNotice } from "./fair-slots.ts";

/** Pool of a fixed set of items, with a bounded queue that is fair between accounts. */
export class BoundedPool<T> {
  readonly #slots: FairSlots;
  /** At least as many as there are slots whose item was not yet taken. */
  readonly #free: T[];

  /** @param maxPerHolder maximum number of items that the calls of one holder have. Default: no bound. */
  constructor(items: readonly T[], maxWaiting: number, notice: QueueNotice, maxPerHolder?: number) {
    this.#free = [...items];
    this.#slots = new FairSlots(items.length, maxWaiting, notice, maxPerHolder);
  }

  get waiting(): number {
    return this.#slots.waiting;
  }

  /** Items that no call uses. */
  get free(): readonly T[] {
    return this.#free;
  }

  /**
   * Returns a free item, or a promise of one. Throws or rejects with QUEUE_FULL if the queue is full, and with the
   * signal's reason if the signal fires.
   */
  take(claimant: Claimant): T | Promise<T> {
    const wait = this.#slots.take(claimant);
    return wait === undefined ? this.#pop() : wait.then(() => this.#pop());
  }

  /** Returns the item of a call to the pool, or passes it to the next call. */
  give(item: T, claimant: Pick<Claimant, "holder">): void {
    this.#free.push(item);
    this.#slots.release(claimant);
  }

  #pop(): T {
    const item = this.#free.pop();
    if (item === undefined) throw new Error("a slot has no item");
    return item;
  }
}
