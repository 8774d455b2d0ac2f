/**
 * Removes the repeated start of a response. If the last message is the assistant's, Mistral continues its text and
 * repeats it at the start of the response.
 */
export class RepeatedStart {
  #expected: string;
  #held = "";

  /** `expected` is the repeated text. Empty: the response repeats nothing. */
  constructor(expected: string) {
    this.#expected = expected;
  }

  /** Returns the new text in a text delta. Holds back text that may yet turn out to be repeated. */
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
