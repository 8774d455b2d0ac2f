import { durationMs } from "@bufbuild/protobuf/wkt";
import type { Attempt } from "../gen/dragoman/v1/attempt_pb.js";

/**
 * A cancellation at most this many milliseconds before the deadline counts as DEADLINE_EXCEEDED. A client resets the
 * call when its own timer fires. Because of network latency, that is slightly before Dragoman's deadline.
 */
const deadlineSkewMs = 50;

/** What ends a call. */
interface Ends {
  readonly deadline: () => void;
  readonly requestIncomplete: () => void;
}

/** Times of one call: its start, its deadline, and the time until its request must be complete. */
export class CallClock {
  readonly #begin = performance.now();
  readonly #deadline: number;
  readonly #on: Ends;
  #isRequestComplete = false;
  /** One timer for both times: nearly all calls are over before the first of them. */
  #timer: NodeJS.Timeout;

  constructor(timeoutMs: number, maxRequestMs: number, on: Ends) {
    this.#deadline = this.#begin + timeoutMs;
    this.#on = on;
    this.#timer =
      maxRequestMs < timeoutMs
        ? setTimeout(() => this.#requestOver(), maxRequestMs)
        : setTimeout(on.deadline, Math.max(0, timeoutMs));
  }

  get elapsedMs(): number {
    return performance.now() - this.#begin;
  }

  /** Milliseconds until the deadline. */
  get leftMs(): number {
    return this.#deadline - performance.now();
  }

  /** Whether another attempt can end before the deadline. It can hardly be faster than the longest of these. */
  hasTimeForAnother(attempts: readonly Pick<Attempt, "duration">[]): boolean {
    const times = attempts.map(({ duration }) => (duration === undefined ? 0 : durationMs(duration)));
    return performance.now() + Math.max(...times) < this.#deadline;
  }

  /** Whether the deadline has passed, or is so close that a cancellation means it. */
  get isAtDeadline(): boolean {
    return performance.now() >= this.#deadline - deadlineSkewMs;
  }

  requestComplete(): void {
    this.#isRequestComplete = true;
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #requestOver(): void {
    if (this.#isRequestComplete) this.#timer = setTimeout(this.#on.deadline, Math.max(0, this.leftMs));
    else this.#on.requestIncomplete();
  }
}
