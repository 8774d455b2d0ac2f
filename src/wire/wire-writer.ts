/** Longest string that is copied character by character, which is faster than the native call for short ASCII. */
const shortString = 64;

/** Longest string for which memory is reserved as if every character took three bytes. */
const unmeasuredString = 1024;

/** Most bytes of a number. */
const numberBytes = 10;

/** Buffers up to this size are kept for the next message; larger ones are given away instead of copied. */
const keptBytes = 65_536;

const firstBytes = 4096;

const shared = new DataView(new ArrayBuffer(8));

/**
 * Writes values in protobuf's wire format into a buffer that grows. Throws an error for a value that does not have the
 * usual form of its type. https://protobuf.dev/programming-guides/encoding/
 */
export class WireWriter {
  #bytes = Buffer.allocUnsafe(firstBytes);
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

  /** Returns all bytes in a buffer of their own, and begins anew. */
  take(): Buffer {
    const source = this.#bytes;
    const length = this.#length;
    this.#length = 0;
    if (source.length > keptBytes) {
      this.#bytes = Buffer.allocUnsafe(firstBytes);
      return source.subarray(0, length);
    }
    const copy = Buffer.allocUnsafe(length);
    source.copy(copy, 0, 0, length);
    return copy;
  }

  /** Skips bytes that the caller fills in later. Returns their position. */
  skip(count: number): number {
    this.#reserve(count);
    const at = this.#length;
    this.#length += count;
    return at;
  }

  /** Writes a tag: the number of a field × 8, plus its wire type. */
  tag(value: number): void {
    this.#reserve(numberBytes);
    this.#varint(value);
  }

  bool(value: boolean): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value ? 1 : 0;
  }

  /** Writes an int32, or an enum. */
  int32(value: number): void {
    if (value !== (value | 0)) unusual(value);
    this.#reserve(numberBytes);
    if (value >= 0) this.#varint(value);
    else this.#long(BigInt(value));
  }

  uint32(value: number): void {
    if (value !== value >>> 0) unusual(value);
    this.#reserve(numberBytes);
    this.#varint(value);
  }

  sint32(value: number): void {
    if (value !== (value | 0)) unusual(value);
    this.uint32(((value << 1) ^ (value >> 31)) >>> 0);
  }

  int64(value: bigint): void {
    if (typeof value !== "bigint" || BigInt.asIntN(64, value) !== value) unusual(value);
    this.#int64(value);
  }

  uint64(value: bigint): void {
    if (typeof value !== "bigint" || BigInt.asUintN(64, value) !== value) unusual(value);
    this.#int64(value);
  }

  sint64(value: bigint): void {
    if (typeof value !== "bigint" || BigInt.asIntN(64, value) !== value) unusual(value);
    this.#int64(BigInt.asUintN(64, (value << 1n) ^ (value >> 63n)));
  }

  fixed32(value: number): void {
    if (value !== value >>> 0) unusual(value);
    this.#reserve(4);
    this.#length = this.#bytes.writeUInt32LE(value, this.#length);
  }

  sfixed32(value: number): void {
    if (value !== (value | 0)) unusual(value);
    this.fixed32(value >>> 0);
  }

  fixed64(value: bigint): void {
    this.#reserve(8);
    this.#length = this.#bytes.writeBigUInt64LE(value, this.#length);
  }

  sfixed64(value: bigint): void {
    this.#reserve(8);
    this.#length = this.#bytes.writeBigInt64LE(value, this.#length);
  }

  double(value: number): void {
    if (typeof value !== "number") unusual(value);
    this.#reserve(8);
    this.#length = this.#bytes.writeDoubleLE(value, this.#length);
  }

  float(value: number): void {
    if (typeof value !== "number" || (Number.isFinite(value) && !Number.isFinite(Math.fround(value)))) unusual(value);
    this.#reserve(4);
    this.#length = this.#bytes.writeFloatLE(value, this.#length);
  }

  /** Writes the items of a packed list of floats. Vectors are Float32Arrays, whose memory is what the format has. */
  floats(values: Iterable<number>): void {
    if (!(values instanceof Float32Array)) {
      for (const value of values) this.float(value);
      return;
    }
    const { buffer, byteOffset, byteLength } = values;
    this.#append(new Uint8Array(buffer, byteOffset, byteLength));
  }

  /** Writes a string with its length. */
  text(value: string): void {
    const { length } = value;
    this.#reserve(numberBytes + (length <= unmeasuredString ? 3 * length : Buffer.byteLength(value)));
    if (length <= shortString && this.#ascii(value)) return;
    // The length in bytes is known after the text, and takes as many bytes as that of ASCII in nearly all cases.
    const at = this.#length;
    const guess = at + sizeBytes(length);
    const size = this.#bytes.write(value, guess);
    const from = at + sizeBytes(size);
    if (from !== guess) this.#bytes.copyWithin(from, guess, guess + size);
    this.#varint(size);
    this.#length += size;
  }

  /** Writes bytes with their length. */
  bytes(value: Uint8Array): void {
    if (!(value instanceof Uint8Array)) unusual(value);
    this.uint32(value.byteLength);
    this.#append(value);
  }

  /** Writes a whole encoded message. */
  append(encoded: Uint8Array): void {
    this.#append(encoded);
  }

  /** Begins a message or a packed list. Returns what `close` needs at its end. */
  open(tag: number): number {
    this.#reserve(numberBytes);
    this.#varint(tag);
    return this.#length++;
  }

  /** Ends what `open` began. */
  close(at: number): void {
    const from = at + 1;
    const size = this.#length - from;
    if (size < 0x80) {
      this.#bytes[at] = size;
      return;
    }
    // `open` has left one byte for the size.
    const width = sizeBytes(size);
    this.#reserve(width);
    this.#bytes.copyWithin(at + width, from, this.#length);
    this.#length = at;
    this.#varint(size);
    this.#length += size;
  }

  #append(value: Uint8Array): void {
    this.#reserve(value.byteLength);
    this.#bytes.set(value, this.#length);
    this.#length += value.byteLength;
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

  /** Writes a whole number from 0 to 2³² - 1. */
  #varint(value: number): void {
    let rest = value;
    for (; rest > 0x7f; rest >>>= 7) this.#bytes[this.#length++] = (rest & 0x7f) | 0x80;
    this.#bytes[this.#length++] = rest;
  }

  #int64(value: bigint): void {
    this.#reserve(numberBytes);
    const small = Number(value);
    if (small >= 0 && small <= 0xffff_ffff) this.#varint(small);
    else this.#long(value);
  }

  #long(value: bigint): void {
    shared.setBigInt64(0, value);
    let high = shared.getUint32(0);
    let low = shared.getUint32(4);
    while (high > 0 || low > 0x7f) {
      this.#bytes[this.#length++] = (low & 0x7f) | 0x80;
      low = ((low >>> 7) | (high << 25)) >>> 0;
      high >>>= 7;
    }
    this.#bytes[this.#length++] = low;
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#bytes.length));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}

/** Number of bytes of a size in the wire format. */
function sizeBytes(size: number): number {
  return size < 0x80 ? 1 : size < 0x4000 ? 2 : size < 0x20_0000 ? 3 : size < 0x1000_0000 ? 4 : 5;
}

function unusual(value: unknown): never {
  throw new TypeError(`${typeof value} ${value} has not the usual form`);
}
