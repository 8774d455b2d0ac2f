import { GatewayError } from "../errors.ts";
import { type CallOrder, fromSent, type Report } from "./messages.ts";

/** Call whose caller waits for the result. */
interface Waiting {
  readonly timer: NodeJS.Timeout;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Time in ms after which a caller should retry when the thread is busy or slow. */
const retryMs = 1_000;

/**
 * Calls of one run of a thread. Each gets its own result, its own error, or STORE_UNAVAILABLE: if it takes longer than
 * its timeout, if too many calls are in progress, or if the thread ends.
 */
export class ThreadCalls {
  readonly #post: (order: CallOrder) => void;
  readonly #maxCalls: number;
  readonly #waiting = new Map<number, Waiting>();
  /** Calls that the thread has not finished, also those whose callers no longer wait. */
  #inProgress = 0;
  #lastId = 0;

  constructor(post: (order: CallOrder) => void, maxCalls: number) {
    this.#post = post;
    this.#maxCalls = maxCalls;
  }

  get inProgress(): number {
    return this.#inProgress;
  }

  call(method: string, parameters: readonly unknown[], timeoutMs: number): Promise<unknown> {
    if (this.#inProgress >= this.#maxCalls) {
      const message = `${this.#maxCalls} requests already wait for the database; retry later`;
      return Promise.reject(new GatewayError("STORE_UNAVAILABLE", message, { retryAfterMs: retryMs }));
    }
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId;
      const timer = setTimeout(() => {
        const message = `the database did not respond within ${timeoutMs / 1000} s; retry later`;
        this.#take(id)?.reject(new GatewayError("STORE_UNAVAILABLE", message, { retryAfterMs: retryMs }));
      }, timeoutMs);
      this.#waiting.set(id, { timer, resolve, reject });
      this.#inProgress++;
      try {
        this.#post({ id, method, parameters });
      } catch (error) {
        // Parameters that cannot be cloned.
        this.#take(id);
        this.#inProgress--;
        reject(error);
      }
    });
  }

  /** Takes the report of a call that ended. */
  receive(report: Exclude<Report, { event: string }>): void {
    this.#inProgress--;
    const waiting = this.#take(report.id);
    if ("error" in report) waiting?.reject(fromSent(report.error));
    else waiting?.resolve(report.result);
  }

  /** Ends all calls, because the thread has ended. */
  fail(error: GatewayError): void {
    this.#inProgress = 0;
    for (const id of this.#waiting.keys()) this.#take(id)?.reject(error);
  }

  /** Returns a call that its caller still waits for, which ends now. */
  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    clearTimeout(waiting?.timer);
    this.#waiting.delete(id);
    return waiting;
  }
}
