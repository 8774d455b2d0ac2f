import type { CallObserver } from "../ledger/call-observer.ts";
import type { CallTracer } from "../ledger/call-tracer.ts";
import { Sampled } from "../sampled.ts";
import type { TraceContext } from "../trace-context.ts";

/** Reports of observers that fail. One of them may be the log, so reports go to standard error. */
const reports = new Sampled<string>({
  intervalMs: 1000,
  pass: (text, omitted) => process.emitWarning(omitted === 0 ? text : `${text} (and ${omitted} times before)`),
});

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
    const name = error instanceof Error ? error.name : "error";
    reports.add(name, `an observer of call ${this.#callId} failed: ${name}`);
  }
}
