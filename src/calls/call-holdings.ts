import type { CallLimits, CallToLimit } from "../accounts/limits/call-limits.ts";
import type { Header } from "../accounts/limits/limit-headers.ts";
import type { CallEnd, LimitedCall, LimitNote } from "../accounts/limits/limited-call.ts";
import type { Warning } from "../gen/dragoman/v1/warning_pb.js";

/** What a call holds of the limits and budgets of its account and its API key, until it settles. */
export class CallHoldings {
  readonly #limits: CallLimits;
  #limited: LimitedCall | undefined;
  #isSettled = false;

  constructor(limits: CallLimits) {
    this.#limits = limits;
  }

  /**
   * Takes what the call may need. Throws, or rejects with, the error if it does not fit. Returns a promise only if
   * another process decides.
   */
  take(call: CallToLimit): Promise<void> | undefined {
    const limited = this.#limits.take(call);
    return limited instanceof Promise ? limited.then((decided) => this.#hold(decided)) : this.#hold(limited);
  }

  /** Headers that tell what is left. Empty: no limits apply. */
  get headers(): readonly Header[] {
    return this.#limited?.headers ?? [];
  }

  /** Warnings BUDGET_NEAR. */
  get warnings(): readonly Warning[] {
    return this.#limited?.warnings ?? [];
  }

  get notes(): readonly LimitNote[] {
    return this.#limited?.notes ?? [];
  }

  /** Gives back what the call did not use. Later calls have no effect. */
  settle(end: CallEnd): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#limited?.settle(end);
  }

  #hold(limited: LimitedCall): undefined {
    this.#limited = limited;
    // The call has ended while another process decided.
    if (this.#isSettled) limited.settle({ usage: undefined, tokens: 0, wasSent: false });
    if (limited.error !== undefined) throw limited.error;
    return undefined;
  }
}
