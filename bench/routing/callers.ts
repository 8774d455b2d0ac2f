import type { Seen } from "./judge.ts";
import type { Mode } from "./texts.ts";

export interface CallerRequest {
  readonly model: string;
  readonly prompt: string;
  readonly mode: Mode;
  /** When the caller gives up, in ms. */
  readonly deadlineMs: number;
  /** When the caller leaves although the response is on its way, in ms. */
  readonly leaveAfterMs: number | undefined;
}

/** What one call gave to its caller. Times are in ms. */
export interface CallerResult {
  readonly seen: Seen;
  /** To the first text, of a unary call to its end. Undefined: no text came. */
  readonly firstMs: number | undefined;
  readonly totalMs: number;
}

/** A client of a system under test. A failed call is a result, not an exception. */
export interface Caller {
  call(request: CallerRequest): Promise<CallerResult>;
  close(): void;
}

/** Collects what a client gives, and when. */
export class Receipt {
  text: string | undefined;
  finishReason: string | null | undefined;
  error: string | undefined;
  readonly #begin = performance.now();
  #firstMs: number | undefined;

  addText(text: string | null | undefined): void {
    if (!text) return;
    this.#firstMs ??= performance.now() - this.#begin;
    this.text = (this.text ?? "") + text;
  }

  /** Ends the call. `left`: whether the caller aborted it. */
  result(left: boolean): CallerResult {
    const { text, finishReason, error } = this;
    const totalMs = performance.now() - this.#begin;
    return { seen: { text, finishReason, error, left }, firstMs: this.#firstMs, totalMs };
  }
}
