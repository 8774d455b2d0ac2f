import type { Token } from "./engine.ts";

/** Decodes tokens to text. `before`: the preceding tokens. Incomplete characters become U+FFFD. */
type Decode = (tokens: readonly Token[], before: readonly Token[]) => string;

/** Maximum tokens to hold back for an incomplete character. It has at most 4 bytes, so more tokens cannot help. */
const longestWait = 8;

/** Number of preceding tokens that the decoder needs to place spaces. */
const lookBack = 4;

/** Joins tokens to text. Never splits a character whose bytes are in several tokens. */
export class Utf8Joiner {
  readonly #decode: Decode;
  #before: readonly Token[];
  #waiting: Token[] = [];
  /** Length of the text of `#waiting` that was already returned. */
  #shown = 0;

  constructor(decode: Decode, before: readonly Token[]) {
    this.#decode = decode;
    this.#before = before.slice(-lookBack);
  }

  push(token: Token): string {
    this.#waiting.push(token);
    const text = this.#decode(this.#waiting, this.#before);
    const whole = text.replace(/\uFFFD+$/, "");
    if (whole.length < text.length && this.#waiting.length < longestWait) {
      const fresh = whole.slice(this.#shown);
      this.#shown = Math.max(this.#shown, whole.length);
      return fresh;
    }
    return this.#settle(text);
  }

  /** Returns the remaining text at the end, with U+FFFD for an incomplete character. */
  flush(): string {
    return this.#waiting.length === 0 ? "" : this.#settle(this.#decode(this.#waiting, this.#before));
  }

  #settle(text: string): string {
    const fresh = text.slice(this.#shown);
    this.#before = [...this.#before, ...this.#waiting].slice(-lookBack);
    this.#waiting = [];
    this.#shown = 0;
    return fresh;
  }
}
