import { setImmediate } from "node:timers/promises";

/** Time in ms that work on one call has the event loop, before other calls have a turn. */
const longestMs = 20;

/** Divides long work on one call into turns of the event loop. Short work does not wait. */
export class Pace {
  #turnBegin = performance.now();

  /** Whether the work should end its turn. */
  get isLong(): boolean {
    return performance.now() - this.#turnBegin > longestMs;
  }

  /** Ends the turn. Timers and sockets of other calls have theirs before the promise resolves. */
  async nextTurn(): Promise<void> {
    // Node.js runs the first immediate right after the callbacks of sockets, so only the second one is in another turn.
    await setImmediate();
    await setImmediate();
    this.#turnBegin = performance.now();
  }
}
