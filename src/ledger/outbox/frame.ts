import { crc32 } from "node:zlib";

/** What a frame has. `mark`: the record that the call gets if its process ends before it does. */
export type FrameKind = "mark" | "record";

const kinds = { mark: 1, record: 2 } as const satisfies Record<FrameKind, number>;
const names: readonly (FrameKind | undefined)[] = [undefined, "mark", "record"];

/**
 * First bytes of each frame, with the version of the format. They are not UTF-8, so that no text in a record can look
 * like the beginning of a frame.
 */
const magic = Buffer.from([0xff, 0xfe, 0xd4, 0x01]);

/** Bytes before the payload: the magic, the CRC-32 of all that follows it, the kind, and the size of the payload. */
export const headerBytes = 12;

/** Maximum size of a payload in bytes: it has 24 bits. */
export const maxPayloadBytes = 2 ** 24 - 1;

/** Fills in the header of a frame: its first `headerBytes` bytes. The payload is already in its place. */
export function sealFrame(frame: Buffer, kind: FrameKind): void {
  magic.copy(frame);
  frame.writeUInt32LE(kinds[kind] * 2 ** 24 + frame.length - headerBytes, 8);
  frame.writeUInt32LE(crc32(frame.subarray(8)), 4);
}

/** A valid frame at a position of the bytes that were read. */
export interface Frame {
  readonly kind: FrameKind;
  readonly payload: Buffer;
  /** Bytes between the previous frame and this one that are no frame. */
  readonly skipped: number;
  /** Position after the frame. */
  readonly end: number;
}

/** What `readFrames` found. */
export interface ReadFrames {
  readonly frames: readonly Frame[];
  /** Position from which more bytes are needed. */
  readonly end: number;
  /** Bytes between the last frame and `end` that are no frame. */
  readonly skipped: number;
}

/**
 * Reads the frames in the bytes of a segment. Skips bytes that are no frame up to the next valid one, whatever their
 * header says.
 *
 * @param isEnd Whether nothing follows the bytes: then the rest of an incomplete frame is skipped too.
 */
export function readFrames(bytes: Buffer, isEnd: boolean): ReadFrames {
  const frames: Frame[] = [];
  let at = 0;
  while (at < bytes.length) {
    const frame = nextFrame(bytes, at);
    if (frame === undefined)
      return isEnd ? { frames, end: bytes.length, skipped: bytes.length - at } : { frames, end: at, skipped: 0 };
    frames.push(frame);
    at = frame.end;
  }
  return { frames, end: at, skipped: 0 };
}

/** Returns the next valid frame from a position on. */
function nextFrame(bytes: Buffer, from: number): Frame | undefined {
  for (let at = bytes.indexOf(magic, from); at !== -1; at = bytes.indexOf(magic, at + 1)) {
    const start = at + headerBytes;
    if (start > bytes.length) return undefined;
    const word = bytes.readUInt32LE(at + 8);
    const end = start + (word & maxPayloadBytes);
    const kind = names[word >>> 24];
    const isValid = kind && end <= bytes.length && crc32(bytes.subarray(at + 8, end)) === bytes.readUInt32LE(at + 4);
    if (isValid) return { kind, payload: bytes.subarray(start, end), skipped: at - from, end };
  }
  return undefined;
}
