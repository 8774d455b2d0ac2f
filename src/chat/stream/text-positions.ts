/**
 * Converts between positions in characters (Unicode code points) and in bytes of UTF-8, for a text that grows. Counts
 * each character once, and only if a position is requested.
 */
export class TextPositions {
  #uncounted = "";
  /** Number of bytes before each character, and at last of the whole text. */
  readonly #bytesBefore = [0];

  append(text: string): void {
    this.#uncounted += text;
  }

  /** Returns a range of characters as bytes. Undefined if the text has no such range, or if it is empty. */
  toBytes(start: number, end: number): { readonly start: number; readonly end: number } | undefined {
    this.#count();
    const first = this.#bytesBefore[start];
    const last = this.#bytesBefore[end];
    return first === undefined || last === undefined || first >= last ? undefined : { start: first, end: last };
  }

  /** Returns the index of the character at a byte. After the text: its number of characters. */
  toCharacter(byte: number): number {
    this.#count();
    let low = 0;
    let high = this.#bytesBefore.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#bytesBefore[middle] ?? 0) < byte) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  get bytes(): number {
    this.#count();
    return this.#bytesBefore.at(-1) ?? 0;
  }

  #count(): void {
    if (this.#uncounted === "") return;
    const text = this.#uncounted;
    // The second half of a character can be in the next text.
    const isCut = (text.charCodeAt(text.length - 1) & 0xfc00) === 0xd800;
    this.#uncounted = isCut ? text.slice(-1) : "";
    let bytes = this.#bytesBefore.at(-1) ?? 0;
    for (const character of isCut ? text.slice(0, -1) : text) {
      bytes += bytesOf(character.codePointAt(0) ?? 0);
      this.#bytesBefore.push(bytes);
    }
  }
}

function bytesOf(character: number): number {
  if (character < 0x80) return 1;
  if (character < 0x800) return 2;
  return character < 0x10000 ? 3 : 4;
}
