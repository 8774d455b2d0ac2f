import { callFailure } from "./errors.ts";
import type { UpstreamCall } from "./upstream-call.ts";

/**
 * Maximum events, comments and other lines without output in one response. Ten minutes of keep-alives are a few
 * thousand. Some servers send an empty event for each token of reasoning that they hide.
 */
const mostQuiet = 100_000;
/** Maximum bytes after an output without a further one. One event may have 16 Mi characters. */
const mostQuietBytes = 64 * 1024 * 1024;

/**
 * Maximum characters of all items without output for the caller in one response, hidden output included: an adapter may
 * keep such an item until the end. 128,000 tokens of hidden reasoning, each in an item of its own, are about 80 Mi.
 */
const mostCharacters = 128 * 1024 * 1024;
/** An item takes memory besides its text. */
const itemCost = 256;

/** Limits what one response may contain besides output. Without limits, a provider could keep a CPU core busy. */
export class QuietBudget {
  readonly #call: UpstreamCall;
  #events = 0;
  #bytes = 0;
  #characters = 0;

  constructor(call: UpstreamCall) {
    this.#call = call;
  }

  /** Counts an item without output for the caller. `isHidden`: it has output that the caller does not receive. */
  addItem(characters: number, isHidden: boolean): void {
    if (!isHidden) this.#events++;
    this.#characters += characters + itemCost;
  }

  /**
   * Ends a read. Throws PROVIDER_FAULT if the response exceeds a limit.
   *
   * @param ignored number of comments and other lines in the response so far
   */
  endRead(chunks: readonly Uint8Array[], hadOutput: boolean, ignored: number): void {
    this.#bytes = hadOutput ? 0 : chunks.reduce((sum, { length }) => sum + length, this.#bytes);
    if (this.#events + ignored > mostQuiet) throw this.#failure("events or comments");
    if (this.#bytes > mostQuietBytes || this.#characters > mostCharacters) throw this.#failure("bytes");
  }

  #failure(what: string) {
    const message = `the provider sent too many ${what} without output`;
    return callFailure("PROVIDER_FAULT", message, this.#call, { interruption: message, retryHere: false });
  }
}
