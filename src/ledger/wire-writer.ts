/** Longest string that is copied character by character, which is faster than the native call for short ASCII. */
const shortString = 64;

/** Most bytes of a tag and a number. */
const numberBytes = 16;

/**
 * Writes fields in protobuf's wire format into a buffer that grows. `tag` is the number of the field × 8, plus its wire
 * type: 0 for numbers, 2 for strings and messages. https://protobuf.dev/programming-guides/encoding/
 */
export class WireWriter {
  #bytes = Buffer.allocUnsafe(4096);
  #length = 0;

  /** Bytes so far. The view is valid until the next write. */
  get written(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  get length(): number {
    return this.#length;
  }

  /** Discards the bytes from `length` on, and keeps the memory. */
  truncate(length: number): void {
    this.#length = length;
  }

  /** Skips bytes that the caller fills in later. Returns their position. */
  skip(count: number): number {
    this.#reserve(count);
    const at = this.#length;
    this.#length += count;
    return at;
  }

  /** Writes an int32, or an enum. Omits 0. */
  int(tag: number, value: number): void {
    if (value !== 0) this.presentInt(tag, value);
  }

  /** Writes an int32 with presence: also 0. Omits undefined. */
  presentInt(tag: number, value: number | undefined): void {
    if (value === undefined) return;
    this.#reserve(numberBytes);
    this.#varint(tag);
    if (value >= 0) this.#varint(value);
    else this.#negative(BigInt(value));
  }

  /** Writes an int64. Omits 0. */
  long(tag: number, value: bigint): void {
    const small = Number(value);
    if (small === 0) return;
    this.#reserve(numberBytes);
    this.#varint(tag);
    if (small > 0 && small <= Number.MAX_SAFE_INTEGER) this.#varint(small);
    else this.#negative(value);
  }

  /** Writes a string. Omits an empty one. */
  text(tag: number, value: string): void {
    if (value !== "") this.presentText(tag, value);
  }

  /** Writes a string, also an empty one. */
  presentText(tag: number, value: string): void {
    this.#reserve(3 * value.length + numberBytes);
    this.#varint(tag);
    if (value.length <= shortString && this.#ascii(value)) return;
    const at = this.#length++;
    this.#length += this.#bytes.write(value, this.#length);
    this.close(at);
  }

  /** Begins a message. Returns what `close` needs at its end. */
  open(tag: number): number {
    this.#reserve(numberBytes);
    this.#varint(tag);
    return this.#length++;
  }

  /** Ends the message that `open` began. */
  close(at: number): void {
    const from = at + 1;
    const size = this.#length - from;
    if (size < 0x80) {
      this.#bytes[at] = size;
      return;
    }
    // `open` has left one byte for the size.
    const width = size < 0x4000 ? 2 : size < 0x20_0000 ? 3 : size < 0x1000_0000 ? 4 : 5;
    this.#reserve(width);
    this.#bytes.copyWithin(at + width, from, this.#length);
    this.#length = at;
    this.#varint(size);
    this.#length += size;
  }

  /** Writes a short ASCII string with its length. Returns false, without an effect, if there are other characters. */
  #ascii(value: string): boolean {
    const bytes = this.#bytes;
    const from = this.#length + 1;
    for (let index = 0; index < value.length; index++) {
      const code = value.charCodeAt(index);
      if (code > 0x7f) return false;
      bytes[from + index] = code;
    }
    bytes[from - 1] = value.length;
    this.#length = from + value.length;
    return true;
  }

  /** Writes a whole number from 0 to 2⁵³ - 1. */
  #varint(value: number): void {
    let rest = value;
    for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) this.#bytes[this.#length++] = (rest % 0x80) | 0x80;
    this.#bytes[this.#length++] = rest;
  }

  /** Writes a negative number, or one from 2⁵³ on. */
  #negative(value: bigint): void {
    let rest = BigInt.asUintN(64, value);
    for (; rest > 0x7fn; rest >>= 7n) this.#bytes[this.#length++] = Number(rest & 0x7fn) | 0x80;
    this.#bytes[this.#length++] = Number(rest);
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#bytes.length));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
