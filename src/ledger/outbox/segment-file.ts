import { formatStorageSize } from "../../config/quantities.ts";
import type { OutboxFiles } from "./files.ts";
import type { OutboxFolder } from "./folder.ts";
import { isMissing, segmentPath } from "./segments.ts";

/** Time in ms between two checks whether somebody removed the folder. */
const checkMs = 1_000;

/** Maximum bytes that are written before `appendNow` returns. */
const mostBytesNow = 64 * 2 ** 10;

/** A write that takes longer than this time in ms has waited for the disk, or for a processor. */
const slowMs = 2;

/** Slow writes of `appendNow` may take this part of the time, and this many ms at once. */
const slowness = { part: 0.01, burstMs: 25 };

interface SegmentFileOptions {
  readonly folder: OutboxFolder;
  readonly database: string;
  /** Maximum size of all segments in bytes. */
  readonly maxBytes: number;
  /** Size in bytes from which a segment is full, without the marks at its beginning. */
  readonly segmentBytes: number;
  /** Whether bytes must be on the disk before `append` resolves. */
  readonly syncs: boolean;
  /** Returns the marks with which each segment begins. */
  readonly marks: () => Iterable<Buffer>;
  /** Called with the number of records that were in a folder which somebody removed. */
  readonly onLost: (records: number) => void;
}

interface Segment {
  readonly descriptor: number;
  /** Size of the marks at the beginning. */
  readonly carried: number;
  size: number;
}

/**
 * Appends to the newest segment of a folder, and begins the next one when it is full. A segment begins with the marks
 * of the calls in progress, so that every older one can be deleted when its records have been shipped.
 */
export class SegmentFile {
  readonly #options: SegmentFileOptions;
  readonly #files: OutboxFiles;
  #current: Segment | undefined;
  #lastNumber = 0;
  /** Bytes of all segments. Those that the shipper deleted since the last look at the folder are included. */
  #total = 0;
  #checkedAt = performance.now();
  #sinceCheck = 0;
  /** Time at which slow writes have taken no more than their part. */
  #balancedAt = 0;

  constructor(options: SegmentFileOptions, files: OutboxFiles) {
    this.#options = options;
    this.#files = files;
  }

  /** Appends frames. After a rejection, the segment has none of them, and `append` can be called again. */
  async append(frames: Buffer, records: number): Promise<void> {
    await this.#checkFolder();
    await this.#requireRoom(frames.length);
    const { segmentBytes, syncs } = this.#options;
    let segment = this.#current;
    if (segment === undefined || isFull(segment, segmentBytes)) segment = await this.#begin();
    try {
      await this.#files.write(segment.descriptor, frames, segment.size);
      if (syncs) await this.#files.sync(segment.descriptor);
    } catch (error) {
      await this.#undo(segment);
      throw error;
    }
    this.#appended(segment, frames, records);
  }

  /**
   * Appends frames before it returns: a write to the memory of the kernel takes less CPU time than passing it to another
   * thread. Slow writes block the event loop for about 1 % of the time at most. Returns false if only `append` can write now;
   * it then replaces what a failed write left behind.
   */
  appendNow(frames: Buffer, records: number): boolean {
    const { segmentBytes, syncs, maxBytes } = this.#options;
    const segment = this.#current;
    if (segment === undefined || isFull(segment, segmentBytes) || syncs || !this.#files.writeNow) return false;
    if (frames.length > mostBytesNow || this.#total + frames.length > maxBytes) return false;
    const start = performance.now();
    if (start < this.#balancedAt - slowness.burstMs / slowness.part || this.#isCheckDue(start)) return false;
    try {
      this.#files.writeNow(segment.descriptor, frames, segment.size);
    } catch {
      return false;
    }
    const end = performance.now();
    if (end - start > slowMs) this.#balancedAt = Math.max(this.#balancedAt, end) + (end - start) / slowness.part;
    this.#appended(segment, frames, records);
    return true;
  }

  /** Returns the number of a new segment. */
  reserveNumber(): number {
    return ++this.#lastNumber;
  }

  async close(): Promise<void> {
    if (this.#current === undefined) return;
    if (!(await this.#files.isLinked(this.#current.descriptor))) this.#options.onLost(this.#sinceCheck);
    await this.#files.close(this.#current.descriptor);
    this.#current = undefined;
  }

  #appended(segment: Segment, { length }: Buffer, records: number): void {
    segment.size += length;
    this.#total += length;
    this.#sinceCheck += records;
  }

  /** Begins the next segment. */
  async #begin(): Promise<Segment> {
    const { folder, database, syncs } = this.#options;
    const path = segmentPath(folder.path, this.reserveNumber());
    const descriptor = await this.#files.create(path).catch((error: unknown) => {
      if (isMissing(error)) folder.restore(database);
      throw error;
    });
    const carried = Buffer.concat([...this.#options.marks()]);
    try {
      await this.#files.write(descriptor, carried, 0);
      if (syncs) {
        await this.#files.sync(descriptor);
        await this.#files.syncFolder(folder.path);
      }
    } catch (error) {
      await Promise.allSettled([this.#files.close(descriptor), this.#files.remove(path)]);
      throw error;
    }
    await this.#abandon();
    this.#current = { descriptor, carried: carried.length, size: carried.length };
    this.#total += carried.length;
    return this.#current;
  }

  /** Removes what a failed write left behind. If that fails too, the next write begins another segment. */
  async #undo({ descriptor, size }: Segment): Promise<void> {
    try {
      await this.#files.truncate(descriptor, size);
    } catch {
      await this.#abandon();
    }
  }

  async #abandon(): Promise<void> {
    const segment = this.#current;
    this.#current = undefined;
    if (segment !== undefined) await this.#files.close(segment.descriptor).catch(() => undefined);
  }

  /** Makes the folder again if somebody removed it. */
  async #checkFolder(): Promise<void> {
    if (this.#current === undefined || !this.#isCheckDue(performance.now())) return;
    const isLinked = await this.#files.isLinked(this.#current.descriptor);
    const lost = this.#sinceCheck;
    this.#checkedAt = performance.now();
    this.#sinceCheck = 0;
    if (isLinked) return;
    await this.#abandon();
    this.#total = 0;
    this.#options.onLost(lost);
    this.#options.folder.restore(this.#options.database);
  }

  #isCheckDue(now: number): boolean {
    return now - this.#checkedAt >= checkMs;
  }

  async #requireRoom(bytes: number): Promise<void> {
    const { maxBytes, folder } = this.#options;
    if (this.#total + bytes <= maxBytes) return;
    this.#total = await this.#files.segmentBytes(folder.path);
    if (this.#total + bytes <= maxBytes) return;
    throw new Error(`the outbox has its maximum size, store.max_outbox_size: ${formatStorageSize(maxBytes)}`);
  }
}

function isFull({ size, carried }: Segment, segmentBytes: number): boolean {
  return size - carried >= segmentBytes;
}
