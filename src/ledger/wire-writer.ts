/** Longest string that is copied character by character, which is faster than the native call for short ASCII. */
const shortString = 48;

/** Writes protobuf's wire format into a buffer that grows. */
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

  /** Appends bytes. */
  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Appends a whole number from 0 to 2⁵³ - 1 as a varint. */
  varint(value: number): void {
    this.#reserve(10);
    let rest = value;
    for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) this.#bytes[this.#length++] = (rest % 0x80) | 0x80;
    this.#bytes[this.#length++] = rest;
  }

  /** Appends an int32 or int64 as a varint. */
  integer(value: number | bigint): void {
    const small = Number(value);
    if (small >= 0 && small <= Number.MAX_SAFE_INTEGER) {
      this.varint(small);
      return;
    }
    this.#reserve(10);
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest > 0x7fn; rest >>= 7n) this.#bytes[this.#length++] = Number(rest & 0x7fn) | 0x80;
    this.#bytes[this.#length++] = Number(rest);
  }

  /** Appends a string with its length. */
  string(value: string): void {
    const { length } = value;
    this.#reserve(3 * length + 10);
    if (length <= shortString && this.#ascii(value)) return;
    const at = this.#length;
    this.varint(3 * length);
    const from = this.#length;
    const size = this.#bytes.write(value, from);
    this.#length = from + size;
    this.#setLength(at, from);
  }

  /** Appends what `write` appends, with its length before it. */
  delimited(write: () => void): void {
    const at = this.#length;
    this.#reserve(1);
    this.#length++;
    write();
    this.#setLength(at, at + 1);
  }

  /** Writes a short ASCII string. Returns false, without an effect, if there are other characters. */
  #ascii(value: string): boolean {
    const bytes = this.#bytes;
    const from = this.#length + 1;
    for (let index = 0; index < value.length; index++) {
      const code = value.charCodeAt(index);
      if (code > 0x7f) return false;
      bytes[from + index] = code;
    }
    bytes[this.#length] = value.length;
    this.#length = from + value.length;
    return true;
  }

  /** Writes the length of the bytes from `from` on to `at`, and moves them if it needs another number of bytes. */
  #setLength(at: number, from: number): void {
    const size = this.#length - from;
    const width = size < 0x80 ? 1 : size < 0x4000 ? 2 : size < 0x20_0000 ? 3 : 4;
    if (at + width !== from) {
      this.#reserve(width);
      this.#bytes.copyWithin(at + width, from, this.#length);
    }
    this.#length = at;
    this.varint(size);
    this.#length = at + width + size;
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#bytes.length));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
