import { overloaded } from "./overloaded.ts";

/** Share of the budget that is kept for small requests, so that many large ones cannot lock out all others. */
const keptShare = 1 / 8;

/** Maximum size of a small request in bytes. */
const smallBytes = 64 * 1024;

/** Bounds the bytes of the requests that the service holds. */
export class ByteBudget {
  /** Maximum bytes. A lower value rejects nothing that the service holds already. */
  max: number;
  #held = 0;

  constructor(max: number) {
    this.max = max;
  }

  /** Grows the bytes of a request from `before` to `after`. Throws OVERLOADED if that would exceed the budget. */
  grow(before: number, after: number): void {
    const held = this.#held + after - before;
    if (held > (after > smallBytes ? this.max * (1 - keptShare) : this.max)) {
      throw overloaded("bytes in flight", "the requests in progress hold too much memory");
    }
    this.#held = held;
  }

  release(bytes: number): void {
    this.#held -= bytes;
  }
}
