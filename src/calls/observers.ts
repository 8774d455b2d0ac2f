import type { CallObserver } from "../ledger/call-observer.ts";
import type { CallTracer } from "../ledger/call-tracer.ts";
import type { TraceContext } from "../trace-context.ts";

/** Observers of one call. */
export class Observers {
  readonly #observers: readonly CallObserver[];
  readonly #tracer: CallTracer | undefined;
  readonly #callId: string;

  constructor(observers: readonly CallObserver[], tracer: CallTracer | undefined, callId: string) {
    this.#observers = observers;
    this.#tracer = tracer;
    this.#callId = callId;
  }

  /**
   * Tells every observer about an event. Resolves when those that need time for it are done. Undefined: none needs any.
   */
  notify(tell: (observer: CallObserver) => Promise<void> | undefined | void): Promise<unknown> | undefined {
    let waits: Promise<void>[] | undefined;
    for (const observer of this.#observers) {
      try {
        const wait = tell(observer);
        if (wait) waits = [...(waits ?? []), wait];
      } catch (error) {
        this.#report(error);
      }
    }
    return waits && Promise.all(waits);
  }

  /** Returns the context that the tracer begins. Without a tracer, or if it throws: the caller's. */
  trace(
    caller: TraceContext | undefined,
    begin: (tracer: CallTracer) => TraceContext | undefined,
  ): TraceContext | undefined {
    if (this.#tracer === undefined) return caller;
    try {
      return begin(this.#tracer);
    } catch (error) {
      this.#report(error);
      return caller;
    }
  }

  #report(error: unknown): void {
    // The observer that failed may be the log, so report on standard error.
    const name = error instanceof Error ? error.name : "error";
    process.emitWarning(`an observer of call ${this.#callId} failed: ${name}`);
  }
}
