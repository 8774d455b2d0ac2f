import {
  closeSync,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type CallRecord, CallRecordSchema } from "../../gen/dragoman/admin/v1/call_record_pb.js";
import { decode } from "../../wire/codec.ts";
import { type Frame, headerBytes, readFrames } from "./frame.ts";
import { isMissing, listSegments, segmentPath } from "./segments.ts";

/** Bytes that are read at once. A frame that is larger is read alone. */
const chunkBytes = 2 ** 20;

/** Position of a sink in a folder: all records before it have been stored. */
export interface Position {
  readonly segment: number;
  readonly offset: number;
}

/** Bytes of a segment that are no frame. */
export interface Damage {
  readonly file: string;
  /** Position after the bytes. */
  readonly end: number;
  readonly bytes: number;
}

/** Records from a position on. */
export interface ReadRecords {
  readonly records: readonly CallRecord[];
  /** Number of records, with those that cannot be decoded. */
  readonly count: number;
  /** Position after the records. */
  readonly next: Position;
  readonly damages: readonly Damage[];
}

/** Reads the segments of a folder in their order, for each sink from its own position. At least one sink. */
export class RecordSource {
  readonly folder: string;
  readonly #sinks: readonly string[];
  readonly #positions = new Map<string, Position>();
  readonly #onDamage: (damage: Damage) => void;
  readonly #reported = new Set<string>();
  #isSealed: boolean;

  /**
   * @param isSealed whether nobody writes to the folder any more
   * @param onDamage called once for bytes that are no frame, when a sink has all records before them
   */
  constructor(folder: string, sinks: readonly string[], isSealed: boolean, onDamage: (damage: Damage) => void) {
    this.folder = folder;
    this.#onDamage = onDamage;
    this.#sinks = sinks;
    this.#isSealed = isSealed;
    for (const sink of sinks) this.#positions.set(sink, readPosition(positionPath(folder, sink)));
  }

  /** Declares that nobody writes to the folder any more. */
  seal(): void {
    this.#isSealed = true;
  }

  /** Reads up to `most` records that a sink has not stored yet. */
  read(sink: string, most: number): ReadRecords {
    const segments = listSegments(this.folder);
    const records: CallRecord[] = [];
    const damages: Damage[] = [];
    let count = 0;
    let next = this.#positionOf(sink);
    for (const [index, segment] of segments.entries()) {
      if (segment < next.segment) continue;
      if (segment > next.segment) next = { segment, offset: 0 };
      // A segment is complete when there is a later one.
      const isComplete = this.#isSealed || index < segments.length - 1;
      const file = segmentPath(this.folder, segment);
      for (const chunk of readChunks(file, next.offset, isComplete)) {
        const frames = take(chunk.frames, most - records.length);
        for (const { kind, payload, skipped, end } of frames) {
          const record = kind === "record" ? decodeRecord(payload) : undefined;
          if (record !== undefined) records.push(record);
          if (kind === "record") count++;
          const size = payload.length + headerBytes;
          if (skipped > 0) damages.push({ file, end: chunk.start + end - size, bytes: skipped });
          if (kind === "record" && record === undefined) damages.push({ file, end: chunk.start + end, bytes: size });
        }
        const isWhole = frames.length === chunk.frames.length;
        if (isWhole && chunk.skipped > 0) damages.push({ file, end: chunk.end, bytes: chunk.skipped });
        next = { segment, offset: isWhole ? chunk.end : chunk.start + (frames.at(-1)?.end ?? 0) };
        if (records.length >= most) return { records, count, next, damages };
      }
    }
    return { records, count, next, damages };
  }

  /** Notes that a sink has stored what `read` returned, and deletes the segments that no sink needs. */
  advance(sink: string, { next, damages }: ReadRecords): void {
    const { segment, offset } = this.#positionOf(sink);
    if (next.segment === segment && next.offset === offset) return;
    writePosition(positionPath(this.folder, sink), next);
    this.#positions.set(sink, next);
    for (const damage of damages) {
      const place = `${damage.file} ${damage.end}`;
      if (!this.#reported.has(place)) this.#onDamage(damage);
      this.#reported.add(place);
    }
    this.#deleteStored();
  }

  /** Whether a sink has not stored yet what ends at a position. */
  needs(sink: string, { segment, offset }: Position): boolean {
    const stored = this.#positionOf(sink);
    return stored.segment < segment || (stored.segment === segment && stored.offset < offset);
  }

  /** Bytes that at least one sink has not stored yet. */
  get pendingBytes(): number {
    const segments = listSegments(this.folder);
    const first = this.#firstNeeded();
    return segments.reduce((sum, segment) => {
      if (segment < first.segment) return sum;
      return sum + sizeOf(segmentPath(this.folder, segment)) - (segment === first.segment ? first.offset : 0);
    }, 0);
  }

  /** Whether a sealed folder has nothing left for any sink. Deletes the segments then. */
  get isEmpty(): boolean {
    if (!this.#isSealed) return false;
    this.#deleteStored();
    return listSegments(this.folder).length === 0;
  }

  #positionOf(sink: string): Position {
    return this.#positions.get(sink) ?? start;
  }

  #firstNeeded(): Position {
    return this.#sinks.map((sink) => this.#positionOf(sink)).reduce(earlier);
  }

  #deleteStored(): void {
    const first = this.#firstNeeded();
    for (const segment of listSegments(this.folder)) {
      const file = segmentPath(this.folder, segment);
      const isStored =
        segment < first.segment || (this.#isSealed && segment === first.segment && sizeOf(file) <= first.offset);
      if (isStored) rmSync(file, { force: true });
    }
  }
}

const start: Position = { segment: 0, offset: 0 };

function earlier(one: Position, other: Position): Position {
  return one.segment < other.segment || (one.segment === other.segment && one.offset <= other.offset) ? one : other;
}

/** Decodes a record. Undefined: it is none, for instance because a later version of Dragoman wrote it. */
function decodeRecord(payload: Buffer): CallRecord | undefined {
  try {
    return decode(CallRecordSchema, payload);
  } catch {
    return undefined;
  }
}

/** Returns the frames up to the last of `most` records. */
function take(frames: readonly Frame[], most: number): readonly Frame[] {
  let records = 0;
  const end = frames.findIndex(({ kind }) => kind === "record" && ++records >= most);
  return end === -1 ? frames : frames.slice(0, end + 1);
}

interface Chunk {
  readonly frames: readonly Frame[];
  /** Positions in the file. */
  readonly start: number;
  readonly end: number;
  readonly skipped: number;
}

/** Reads the frames of a file from an offset on, in chunks. `isComplete`: nothing will be added to the file. */
export function* readChunks(file: string, offset: number, isComplete: boolean): Generator<Chunk> {
  let descriptor: number;
  try {
    descriptor = openSync(file, "r");
  } catch (error) {
    if (isMissing(error)) return;
    throw error;
  }
  try {
    const { size } = fstatSync(descriptor);
    let start = offset;
    let length = chunkBytes;
    while (start < size) {
      const bytes = Buffer.allocUnsafe(Math.min(length, size - start));
      const count = readSync(descriptor, bytes, 0, bytes.length, start);
      const isLast = start + count >= size;
      const { frames, end, skipped } = readFrames(bytes.subarray(0, count), isLast && isComplete);
      if (end === 0 && isLast) return;
      if (end > 0) yield { frames, start, end: start + end, skipped };
      // A frame, or bytes that are none, exceed the chunk.
      length = end === 0 ? 2 * length : chunkBytes;
      start += end;
    }
  } finally {
    closeSync(descriptor);
  }
}

function sizeOf(file: string): number {
  try {
    return statSync(file).size;
  } catch (error) {
    if (isMissing(error)) return 0;
    throw error;
  }
}

function positionPath(folder: string, sink: string): string {
  return join(folder, `position-${sink}.json`);
}

function readPosition(path: string): Position {
  try {
    const { segment, offset } = JSON.parse(readFileSync(path, "utf8"));
    if (Number.isSafeInteger(segment) && Number.isSafeInteger(offset)) return { segment, offset };
  } catch {
    // Without a position, all records are offered again, and the sink ignores those that it has.
  }
  return start;
}

function writePosition(path: string, position: Position): void {
  writeFileSync(`${path}.new`, JSON.stringify(position));
  renameSync(`${path}.new`, path);
}
