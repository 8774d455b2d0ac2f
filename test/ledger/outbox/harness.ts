import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { CallOutcome, type CallRecord } from "../../../src/gen/dragoman/admin/v1/call_record_pb.js";
import type { LedgerLog } from "../../../src/ledger/ledger-log.ts";
import type { OutboxFiles } from "../../../src/ledger/outbox/files.ts";
import { systemFiles } from "../../../src/ledger/outbox/files.ts";
import { OutboxFolder } from "../../../src/ledger/outbox/folder.ts";
import { PendingRecords } from "../../../src/ledger/outbox/pending-records.ts";
import { Shipper } from "../../../src/ledger/outbox/shipper.ts";
import { OutboxWriter, type WriterOptions } from "../../../src/ledger/outbox/writer.ts";
import { type RecordSink, UnacceptableRecords } from "../../../src/ledger/record-sink.ts";
import { database } from "./records.ts";

export { database, mark, record } from "./records.ts";

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "dragoman-outbox-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Log that keeps its lines. */
export class Lines implements LedgerLog {
  readonly lines: {
    readonly level: string;
    readonly message: string;
    readonly fields: Readonly<Record<string, unknown>>;
  }[] = [];
  readonly info = this.#at("info");
  readonly warn = this.#at("warn");

  get messages(): readonly string[] {
    return this.lines.map(({ message }) => message);
  }

  #at(level: string) {
    return (fields: Readonly<Record<string, unknown>>, message: string) =>
      void this.lines.push({ level, fields, message });
  }
}

/** Sink that keeps its records. It ignores those that it has, as a database does. */
export class MemorySink implements RecordSink {
  readonly name: string;
  readonly records = new Map<string, CallRecord>();
  /** Number of records in each batch. */
  readonly batches: number[] = [];
  /** Records that the sink had already. */
  repeated = 0;
  isAway = false;
  /** Ids that the sink never accepts. */
  readonly poison = new Set<string>();

  constructor(name = "memory") {
    this.name = name;
  }

  async store(records: readonly CallRecord[]): Promise<void> {
    if (this.isAway) throw new Error("the sink is away");
    if (records.some(({ id }) => this.poison.has(id))) throw new UnacceptableRecords("a value is too long");
    this.batches.push(records.length);
    for (const stored of records) {
      if (this.records.has(stored.id)) this.repeated++;
      else this.records.set(stored.id, stored);
    }
  }

  async close(): Promise<void> {}

  /** Outcomes by id. */
  get outcomes(): Readonly<Record<string, string>> {
    return Object.fromEntries([...this.records].map(([id, { outcome }]) => [id, CallOutcome[outcome] ?? ""]));
  }
}

/** Outbox of one process. */
export interface TestOutbox {
  readonly folder: OutboxFolder;
  readonly writer: OutboxWriter;
  readonly log: Lines;
  /** Makes the folder look as if its process had ended: its lock is free. */
  abandon(): void;
}

export function openOutbox(outbox: string, options: Partial<WriterOptions> = {}): TestOutbox {
  const log = new Lines();
  const folder = OutboxFolder.create(outbox, options.database ?? database);
  const writer = new OutboxWriter({
    folder,
    database,
    log,
    durability: "process",
    onFull: "drop",
    maxOutboxBytes: 2 ** 30,
    ...options,
  });
  let isReleased = false;
  const abandon = (): void => {
    if (!isReleased) folder.release();
    isReleased = true;
  };
  onTestFinished(abandon);
  return { folder, writer, log, abandon };
}

export function openShipper(
  outbox: string,
  sinks: readonly RecordSink[],
  options: { instance?: string; log?: LedgerLog; name?: string; pending?: PendingRecords } = {},
): Shipper {
  const { instance, log = new Lines(), name = database, pending = new PendingRecords() } = options;
  const shipper = new Shipper({ outbox, instance, database: name, sinks, pending, log });
  onTestFinished(() => shipper.stop());
  return shipper;
}

/** Functions on files with a script of faults. */
export class FaultyFiles implements OutboxFiles {
  /** Called before each write; what it throws, or rejects with, is the result of the write. */
  beforeWrite: (bytes: Buffer) => Promise<void> | void = () => {};
  /** Called before each truncation. */
  beforeTruncate: () => void = () => {};
  readonly create = systemFiles.create;
  readonly sync = systemFiles.sync;
  readonly syncFolder = systemFiles.syncFolder;
  readonly close = systemFiles.close;
  readonly remove = systemFiles.remove;
  readonly isLinked = systemFiles.isLinked;
  readonly segmentBytes = systemFiles.segmentBytes;

  async write(descriptor: number, bytes: Buffer, position: number): Promise<void> {
    await this.beforeWrite(bytes);
    await systemFiles.write(descriptor, bytes, position);
  }

  async truncate(descriptor: number, length: number): Promise<void> {
    this.beforeTruncate();
    await systemFiles.truncate(descriptor, length);
  }
}

/** A system error, as functions on files reject with. */
export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: a fault of this test`), { code });
}
