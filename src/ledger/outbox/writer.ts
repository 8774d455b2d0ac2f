import { closeSync, constants, fdatasyncSync, openSync, writeSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { StoreSettings } from "../../config/config.ts";
import type { CallRecord } from "../../gen/dragoman/admin/v1/call_record_pb.js";
import { WireWriter } from "../../wire/wire-writer.ts";
import { describeError } from "../describe-error.ts";
import type { LedgerLog } from "../ledger-log.ts";
import { MinuteCount } from "../minute-count.ts";
import { Batch } from "./batch.ts";
import { type OutboxFiles, systemFiles } from "./files.ts";
import type { OutboxFolder } from "./folder.ts";
import { PendingRecords } from "./pending-records.ts";
import { SegmentFile } from "./segment-file.ts";
import { segmentPath } from "./segments.ts";

/** Time in ms after which calls no longer wait for a write. */
const patienceMs = 250;

/** Bounds on the frames that wait for a write. */
const maxWaiting = { frames: 10_000, bytes: 16 * 2 ** 20 };

/** Time in ms between two attempts to write after a failure. */
const retryMs = 1_000;

/** Maximum size in bytes of a buffer that is kept for another batch. */
const maxKeptBytes = 2 ** 20;

export interface WriterOptions extends Pick<StoreSettings, "durability" | "onFull" | "maxOutboxBytes"> {
  readonly folder: OutboxFolder;
  /** Name of the database that the records are for. */
  readonly database: string;
  readonly log: LedgerLog;
  /** Counts the records that are written. Default: nobody reads it. */
  readonly pending?: PendingRecords;
  /** Size in bytes from which a segment is full. Default 8 MiB. */
  readonly segmentBytes?: number;
  /** Replaces the functions on files in tests. */
  readonly files?: OutboxFiles;
}

/** State of the writer, for metrics. */
export interface WriterState {
  /** Records and marks that wait for a write. */
  readonly waiting: number;
  /** Records that wait for a write, or wait in the outbox for the database. */
  readonly pendingRecords: number;
  readonly waitingBytes: number;
  /** Records that were written. */
  readonly written: number;
  /** Records and marks that no call waited for, because their write took too long or failed. */
  readonly late: number;
  /** Records that are in no file, and in no database. */
  readonly dropped: number;
  /** Why records cannot be written now. Undefined: they can. */
  readonly failure: string | undefined;
}

/**
 * Writes call records and marks into the outbox of this process, each at once while the disk is quick. Otherwise one
 * write is in progress at a time, in the background; frames that arrive meanwhile are written together by the next one.
 * After a failed write, the frames wait in memory, up to a bound, and the writer tries again every second.
 */
export class OutboxWriter {
  readonly #options: WriterOptions;
  readonly #segments: SegmentFile;
  readonly #pending: PendingRecords;
  /** Marks of the calls without a written record, by their id. */
  readonly #marks = new Map<string, Buffer>();
  readonly #late: MinuteCount;
  readonly #dropped: MinuteCount;
  readonly #failures: MinuteCount;
  readonly #closing = new AbortController();
  #gathering = new Batch(new WireWriter());
  #inFlight: Batch | undefined;
  /** Buffer of the batch before the one in flight. */
  #spare: WireWriter | undefined;
  #written = 0;
  #failure: string | undefined;
  #isFailureLogged = false;
  #running: Promise<void> | undefined;

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#pending = options.pending ?? new PendingRecords();
    const { folder, database, durability, maxOutboxBytes, log, segmentBytes = 8 * 2 ** 20 } = options;
    this.#segments = new SegmentFile(
      {
        folder,
        database,
        segmentBytes,
        maxBytes: maxOutboxBytes,
        syncs: durability === "disk",
        marks: () => this.#marks.values(),
        onLost: (records) => {
          this.#dropped.add(records);
          this.#pending.removed();
        },
      },
      options.files ?? systemFiles,
    );
    this.#late = new MinuteCount((count) => {
      log.warn({ count }, "the outbox is slow: calls did not wait until their record or mark was written");
    });
    this.#dropped = new MinuteCount((count) => {
      log.warn({ count, reason: this.#failure }, "call records were dropped, because the outbox could not take them");
    });
    this.#failures = new MinuteCount((count) => {
      this.#isFailureLogged = true;
      const effect = options.onFull === "refuse" ? "Dragoman rejects new calls" : "they wait in memory";
      log.warn({ count, reason: this.#failure }, `call records cannot be written to the outbox: ${effect}`);
    });
  }

  /** Adds the mark of a call that may ask a provider. Resolves when it is written, at the latest after 250 ms. */
  begin(message: CallRecord): Promise<void> | undefined {
    if (this.#isFull) return undefined;
    const frame = this.#gathering.add("mark", message);
    if (frame === undefined) return undefined;
    this.#marks.set(message.id, Buffer.from(frame));
    return this.#added();
  }

  /** Adds the record of a settled call. Resolves when it is written, at the latest after 250 ms. */
  settle(message: CallRecord): Promise<void> | undefined {
    if (!this.#isFull && this.#gathering.add("record", message) !== undefined) return this.#added();
    this.#marks.delete(message.id);
    this.#dropped.add();
    return undefined;
  }

  /** Whether new calls must be rejected, because their records could be lost. */
  get isRefusing(): boolean {
    return this.#options.onFull === "refuse" && (this.#failure !== undefined || this.#isFull);
  }

  get state(): WriterState {
    return {
      waiting: this.#waitingFrames,
      pendingRecords: this.#waitingRecords + this.#pending.total,
      waitingBytes: this.#waitingBytes,
      written: this.#written,
      late: this.#late.total,
      dropped: this.#dropped.total,
      failure: this.#failure,
    };
  }

  /** Resolves when everything is written. Drops what cannot be written at once. No frame may be added after it. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#start();
    await this.#running;
    await this.#segments.close().catch(() => undefined);
    for (const count of [this.#failures, this.#late, this.#dropped]) count.flush();
  }

  /**
   * Writes all frames that wait to a new segment before it returns, for a process that is about to exit. A write in
   * progress may not end any more, so that its frames are written again: sinks ignore a record that they have.
   */
  flushSync(): void {
    const batches = [this.#inFlight, this.#gathering].flatMap((batch) => (batch?.frames ? [batch] : []));
    if (batches.length === 0) return;
    const records = batches.reduce((sum, { recordIds }) => sum + recordIds.length, 0);
    try {
      const path = segmentPath(this.#options.folder.path, this.#segments.reserveNumber());
      const descriptor = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
      for (const { bytes } of batches) writeAllSync(descriptor, bytes);
      if (this.#options.durability === "disk") fdatasyncSync(descriptor);
      closeSync(descriptor);
    } catch (error) {
      this.#failure = describeError(error);
      this.#dropped.add(records);
    }
    for (const count of [this.#failures, this.#late, this.#dropped]) count.flush();
  }

  get #waitingFrames(): number {
    return this.#gathering.frames + (this.#inFlight?.frames ?? 0);
  }

  get #waitingRecords(): number {
    return this.#gathering.recordIds.length + (this.#inFlight?.recordIds.length ?? 0);
  }

  get #waitingBytes(): number {
    return this.#gathering.writer.length + (this.#inFlight?.writer.length ?? 0);
  }

  get #isFull(): boolean {
    return this.#waitingFrames >= maxWaiting.frames || this.#waitingBytes >= maxWaiting.bytes;
  }

  /** Writes the frame that was just added, or starts writing. Returns what its call waits for. */
  #added(): Promise<void> | undefined {
    if (this.#running === undefined && this.#writeNow(this.#gathering)) return undefined;
    this.#start();
    if (this.#options.durability === "async") return undefined;
    const batch = this.#gathering;
    if (this.#failure !== undefined || batch.isReleased) {
      this.#late.add();
      return undefined;
    }
    batch.limitWait(patienceMs, () => this.#late.add(batch.release()));
    return batch.done;
  }

  /** Whether a batch, for which no call waits yet, could be written at once. It is empty then. */
  #writeNow(batch: Batch): boolean {
    if (!this.#segments.appendNow(batch.bytes, batch.recordIds.length)) return false;
    this.#noteWritten(batch);
    batch.clear();
    return true;
  }

  #noteWritten({ recordIds }: Batch): void {
    if (recordIds.length === 0) return;
    for (const id of recordIds) this.#marks.delete(id);
    this.#written += recordIds.length;
    this.#pending.written(recordIds.length);
  }

  /** Starts writing at the end of this turn of the event loop, so that all frames of the turn are written together. */
  #start(): void {
    this.#running ??= new Promise((resolve) => {
      setImmediate(() => void this.#run().then(resolve));
    });
  }

  async #run(): Promise<void> {
    while (this.#gathering.frames > 0) {
      const batch = this.#gathering;
      this.#gathering = new Batch(this.#spare ?? new WireWriter());
      this.#spare = undefined;
      this.#inFlight = batch;
      await this.#write(batch);
      this.#inFlight = undefined;
      batch.release();
      if (batch.writer.length <= maxKeptBytes) this.#spare = batch.writer;
      this.#spare?.truncate(0);
    }
    this.#running = undefined;
  }

  /** Writes a batch, however many attempts that takes. While the writer closes, drops it if the first one fails. */
  async #write(batch: Batch): Promise<void> {
    for (;;) {
      try {
        await this.#segments.append(batch.bytes, batch.recordIds.length);
        this.#noteWritten(batch);
        this.#succeeded();
        return;
      } catch (error) {
        this.#failed(error, batch);
      }
      if (this.#closing.signal.aborted) {
        this.#dropped.add(batch.recordIds.length);
        return;
      }
      await delay(retryMs, undefined, { signal: this.#closing.signal }).catch(() => undefined);
    }
  }

  #succeeded(): void {
    this.#failure = undefined;
    if (this.#isFailureLogged) this.#options.log.info({}, "call records can be written to the outbox again");
    this.#isFailureLogged = false;
  }

  #failed(error: unknown, batch: Batch): void {
    this.#failure = describeError(error);
    this.#failures.add();
    for (const waiting of [batch, this.#gathering]) {
      const late = waiting.release();
      if (late > 0 && this.#options.durability !== "async") this.#late.add(late);
    }
  }
}

function writeAllSync(descriptor: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
}
