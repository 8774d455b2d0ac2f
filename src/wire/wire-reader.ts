/** Longest string that is read character by character, which is faster than the native call for short ASCII. */
const shortString = 16;

/** Default of the protobuf libraries. */
const defaultLevels = 100;

const shared = new DataView(new ArrayBuffer(8));

/**
 * Reads values in protobuf's wire format. Throws an error for all bytes that an ordinary encoder does not write: such
 * messages are read by the library, which decides whether they are valid.
 */
export class WireReader {
  /** Position of the next byte. */
  at = 0;
  readonly #source: Uint8Array;
  readonly #bytes: Buffer;
  #levelsLeft: number;

  /** `mostLevels`: maximum nesting depth of messages. */
  constructor(source: Uint8Array, mostLevels = defaultLevels) {
    this.#source = source;
    this.#levelsLeft = mostLevels;
    this.#bytes = Buffer.isBuffer(source) ? source : Buffer.from(source.buffer, source.byteOffset, source.byteLength);
  }

  /** Begins a message. */
  enter(): void {
    if (--this.#levelsLeft < 0) unusual();
  }

  /** Ends a message, which must end at `end`. */
  leave(end: number): void {
    this.#levelsLeft++;
    if (this.at !== end) unusual();
  }

  /** Requires that a value begins that is the first of its field. */
  first(value: unknown): void {
    if (value !== undefined) unusual();
  }

  /** Ends the reading. */
  unknown(): never {
    return unusual();
  }

  /** Reads the length of a value. Returns the position of its end. */
  end(): number {
    const length = this.uint32();
    const end = this.at + length;
    if (end > this.#bytes.length) unusual();
    return end;
  }

  /** Reads a number of at most five bytes, such as a tag or a length. */
  uint32(): number {
    const bytes = this.#bytes;
    let byte = this.#next(bytes);
    if (byte < 0x80) return byte;
    let value = byte & 0x7f;
    for (let shift = 7; shift < 28; shift += 7) {
      byte = this.#next(bytes);
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    byte = this.#next(bytes);
    if (byte > 0x0f) unusual();
    return (value | (byte << 28)) >>> 0;
  }

  /** Reads an int32, or an enum. A negative one has ten bytes. */
  int32(): number {
    const byte = this.#bytes[this.at] as number;
    if (byte < 0x80) {
      this.at++;
      return byte;
    }
    this.#varint();
    return shared.getInt32(4);
  }

  sint32(): number {
    const value = this.uint32();
    return (value >>> 1) ^ -(value & 1);
  }

  bool(): boolean {
    const byte = this.#next(this.#bytes);
    if (byte > 1) unusual();
    return byte === 1;
  }

  int64(): bigint {
    this.#varint();
    return shared.getBigInt64(0);
  }

  uint64(): bigint {
    this.#varint();
    return shared.getBigUint64(0);
  }

  sint64(): bigint {
    const value = this.uint64();
    return (value >> 1n) ^ -(value & 1n);
  }

  fixed32(): number {
    return this.#bytes.readUInt32LE(this.#fixed(4));
  }

  sfixed32(): number {
    return this.#bytes.readInt32LE(this.#fixed(4));
  }

  fixed64(): bigint {
    return this.#bytes.readBigUInt64LE(this.#fixed(8));
  }

  sfixed64(): bigint {
    return this.#bytes.readBigInt64LE(this.#fixed(8));
  }

  float(): number {
    return this.#bytes.readFloatLE(this.#fixed(4));
  }

  double(): number {
    return this.#bytes.readDoubleLE(this.#fixed(8));
  }

  text(): string {
    const end = this.end();
    const start = this.at;
    this.at = end;
    if (end - start <= shortString) {
      const ascii = this.#ascii(start, end);
      if (ascii !== undefined) return ascii;
    }
    const text = this.#bytes.toString("utf8", start, end);
    // Buffers replace what is not UTF-8 by this character.
    if (text.includes("\ufffd")) unusual();
    return text;
  }

  bytes(): Uint8Array {
    const end = this.end();
    const start = this.at;
    this.at = end;
    return this.#source.subarray(start, end);
  }

  #ascii(start: number, end: number): string | undefined {
    const codes = new Array<number>(end - start);
    for (let at = start; at < end; at++) {
      const byte = this.#bytes[at] as number;
      if (byte > 0x7f) return undefined;
      codes[at - start] = byte;
    }
    return String.fromCharCode.apply(String, codes);
  }

  /** Returns the position of a value of `count` bytes. */
  #fixed(count: number): number {
    const at = this.at;
    this.at += count;
    return at;
  }

  #next(bytes: Buffer): number {
    const byte = bytes[this.at++];
    if (byte === undefined) unusual();
    return byte;
  }

  /** Reads a number of at most ten bytes into `shared`. */
  #varint(): void {
    const bytes = this.#bytes;
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#next(bytes);
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (shift - 32);
      if (byte < 0x80) {
        shared.setInt32(0, high);
        shared.setInt32(4, low);
        return;
      }
    }
    unusual();
  }
}

function unusual(): never {
  throw new RangeError("the bytes are not those of an ordinary encoder");
}
