import type { Token } from "./engine.ts";

/** Turns tokens into text. `before`: the tokens that precede. Bytes that are no whole character become U+FFFD. */
type Decode = (tokens: readonly Token[], before: readonly Token[]) => string;

/** A character has at most 4 bytes, so this many tokens that end in no whole character are no character at all. */
const longestWait = 8;

/** Enough of what precedes to decide about blanks. */
const lookBack = 4;

/** Joins tokens to text without ever breaking a character that is split over tokens. */
export class Utf8Joiner {
  readonly #decode: Decode;
  #before: readonly Token[];
  #waiting: Token[] = [];
  /** How much of the text of `#waiting` was returned. */
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

  /** What is left at the end: U+FFFD for a character that was cut off. */
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
