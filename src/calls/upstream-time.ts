import type { Attempt } from "../gen/dragoman/v1/attempt_pb.js";

/** Measures the time in which at least one upstream request of a call is in progress. */
export class UpstreamTime {
  readonly #running = new Set<Attempt>();
  #beginMs = 0;
  #totalMs: number | undefined;

  /** Milliseconds so far, without the requests in progress. Undefined: no request has begun. */
  get ms(): number | undefined {
    return this.#totalMs;
  }

  begin(attempt: Attempt): void {
    if (this.#running.size === 0) this.#beginMs = performance.now();
    this.#running.add(attempt);
    this.#totalMs ??= 0;
  }

  /** Has no effect for a request that has not begun. */
  end(attempt: Attempt): void {
    if (!this.#running.delete(attempt) || this.#running.size > 0) return;
    this.#totalMs = (this.#totalMs ?? 0) + performance.now() - this.#beginMs;
  }
}
