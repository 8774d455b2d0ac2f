/**
 * Takes the caller's own words out of an answer that continues them: Mistral repeats the text of a last assistant
 * message at the start of the answer.
 */
export class RepeatedStart {
  #expected: string;
  #held = "";

  /** `expected` is empty when nothing is repeated. */
  constructor(expected: string) {
    this.#expected = expected;
  }

  /** What is new in a piece of the answer's text; empty while that cannot be told. */
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

  /** What was held back, once the answer is whole. */
  end(): string {
    return this.#expected === "" ? "" : this.#held;
  }
}
