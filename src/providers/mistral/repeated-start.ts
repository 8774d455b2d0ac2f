/**
 * Removes the repeated start of a response. If the last message of a request is an assistant message, the response
 * continues its text, and Mistral repeats that text at the start of the response.
 */
export class RepeatedStart {
  #expected: string;
  #held = "";

  /** `expected` is the repeated text. Empty: the response repeats nothing. */
  constructor(expected: string) {
    this.#expected = expected;
  }

  /** Returns the text of a delta without repeated text. Holds text back while it may still be the repeated text. */
  strip(text: string): string {
    if (this.#expected === "") return text;
    const read = this.#held + text;
    if (read.length < this.#expected.length && this.#expected.startsWith(read)) {
      this.#held = read;
      return "";
    }
    const isRepeated = read.startsWith(this.#expected);
    const repeatedLength = isRepeated ? this.#expected.length : 0;
    this.#expected = "";
    return read.slice(repeatedLength);
  }

  /** Returns the text that is still held back at the end of the response. */
  end(): string {
    return this.#expected === "" ? "" : this.#held;
  }
}
