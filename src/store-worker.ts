import { workerData } from "node:worker_threads";
import type { SpendingReader } from "./accounts/limits/spending-reader.ts";
import { createAccountStore } from "./accounts/sql/database-store.ts";
import type { StoreSettings } from "./config/config.ts";
import type { DatabaseAddress } from "./database/address.ts";
import { createDatabase } from "./database/database.ts";
import { describeError } from "./ledger/describe-error.ts";
import type { LedgerLog } from "./ledger/ledger-log.ts";
import { PendingRecords } from "./ledger/outbox/pending-records.ts";
import { Shipper } from "./ledger/outbox/shipper.ts";
import { createOtlpSink } from "./ledger/sinks/otlp.ts";
import { createDatabaseSink } from "./ledger/sql/database-sink.ts";
import { createSpendingReader } from "./ledger/sql/read-spending.ts";
import { createUsageReader } from "./ledger/sql/reader.ts";
import { keepMaintained, type Retention } from "./ledger/sql/retention.ts";
import { shrinkHeap } from "./load/garbage-collector.ts";
import { emit, runThread } from "./thread/run-thread.ts";

// Main module of the thread that store-thread.ts starts.

/** What the thread gets from the process. */
export interface StoreWorkerData {
  readonly address: DatabaseAddress;
  /** Name of the database, without its password. */
  readonly databaseName: string;
  /** Absolute path of `store.outbox`. */
  readonly outbox: string;
  /** Name of the folder of this process in the outbox. */
  readonly instance: string;
  /** Memory of `PendingRecords`. */
  readonly pendingMemory: SharedArrayBuffer;
  readonly retention: Retention;
  /** Collector that also receives the records. Undefined: none. */
  readonly otlp: StoreSettings["sinks"]["otlp"];
}

/** Line of the log that the process writes for the thread. */
export interface LogLine {
  readonly level: "info" | "warn";
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

const { address, databaseName, outbox, instance, pendingMemory, retention, otlp } = workerData as StoreWorkerData;
const write = (level: LogLine["level"]) => (fields: LogLine["fields"], message: string) =>
  emit("log", { level, fields, message } satisfies LogLine);
const log: LedgerLog = { info: write("info"), warn: write("warn") };

const database = createDatabase(address);
const sinks = [createDatabaseSink(database), ...(otlp ? [createOtlpSink(otlp, log)] : [])];
const pending = new PendingRecords(pendingMemory);
const shipper = new Shipper({ outbox, instance, database: databaseName, sinks, pending, log });
shipper.start();
const stopMaintenance = keepMaintained(database, retention, (error) =>
  log.warn({ reason: describeError(error) }, "old call records cannot be removed now; they are removed within hours"),
);

/** Longest wait in ms for the records that ended processes left, before the spending is read. */
const longestCatchUpMs = 2_000;

const spendingReader = createSpendingReader(database, retention);
const spending: SpendingReader = {
  async spentBy(query) {
    await shipper.untilCaughtUp("database", longestCatchUpMs);
    return spendingReader.spentBy(query);
  },
};

runThread({
  interfaces: {
    usage: createUsageReader(database),
    spending,
    accounts: createAccountStore(database),
    shipper: { state: () => shipper.state, adopt: () => shipper.adopt() },
  },
  async close(graceMs) {
    const isShipped = await shipper.flush(graceMs);
    if (!isShipped) log.warn({ outbox }, "some call records wait in the outbox; the next process ships them");
    await Promise.all(sinks.map((sink) => sink.close()));
    await stopMaintenance();
    await database.close();
  },
});

// The database is open after the first answer. What loading its client left behind is then garbage.
database.open().then(shrinkHeap, () => undefined);
