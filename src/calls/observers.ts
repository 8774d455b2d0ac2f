import type { CallObserver } from "../ledger/call-observer.ts";

/** Observers of one call. */
export class Observers {
  readonly #observers: readonly CallObserver[];
  readonly #callId: string;

  constructor(observers: readonly CallObserver[], callId: string) {
    this.#observers = observers;
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
        // The observer that failed may be the log, so report on standard error.
        const name = error instanceof Error ? error.name : "error";
        process.emitWarning(`an observer of call ${this.#callId} failed: ${name}`);
      }
    }
    return waits && Promise.all(waits);
  }
}
