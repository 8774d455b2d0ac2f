import type { StoreSettings } from "../config/config.ts";
import type { LoadBound } from "../load/load-guard.ts";
import type { CallObserver } from "./call-observer.ts";
import type { LedgerLog } from "./ledger-log.ts";
import { OutboxFolder } from "./outbox/folder.ts";
import { PendingRecords } from "./outbox/pending-records.ts";
import { OutboxWriter, type WriterState } from "./outbox/writer.ts";
import { toLostMessage, toMessage } from "./record-message.ts";

/** Records the calls that could cost something, in the outbox of this process. */
export interface Ledger {
  /** Observer that writes the marks and the records, and holds up calls until they are written. */
  readonly observer: CallObserver;
  /** Bound that rejects new calls while their records could be lost, if `store.on_full` is `refuse`. */
  readonly bound: LoadBound;
  /** Name of the folder of this process in `store.outbox`. */
  readonly instance: string;
  /** Memory in which the shipper counts what it ships, for `state`. */
  readonly pendingMemory: SharedArrayBuffer;
  /** State for metrics. */
  state(): WriterState;
  /** Resolves when all records are in files. Call it when all calls have settled, and before the last shipping. */
  close(): Promise<void>;
  /** Writes the records that wait, and returns when they are in a file. For a process that must exit at once. */
  flushSync(): void;
  /** Gives up the folder, and removes it if all its records have been shipped. Call it last. */
  release(): void;
}

/** Opens the ledger. Throws a system error if the outbox cannot be written. */
export function openLedger(store: StoreSettings, log: LedgerLog): Ledger {
  const { outbox, database, durability, onFull, maxOutboxBytes } = store;
  const folder = OutboxFolder.create(outbox, database.name);
  const pending = new PendingRecords();
  const writer = new OutboxWriter({
    ...{ folder, database: database.name, durability, onFull, maxOutboxBytes, pending, log },
  });
  return {
    observer: createLedgerObserver(writer),
    bound: {
      name: "outbox",
      problem: "call records cannot be written",
      isForCost: true,
      isExceeded: () => writer.isRefusing,
    },
    instance: folder.instance,
    pendingMemory: pending.memory,
    state: () => writer.state,
    close: () => writer.close(),
    flushSync: () => writer.flushSync(),
    release: () => folder.release(),
  };
}

/** Creates the observer that passes the marks and records of calls to the outbox. */
function createLedgerObserver(writer: OutboxWriter): CallObserver {
  return {
    starting: (call) => (call.mayCost ? writer.begin(toLostMessage(call)) : undefined),
    settled: (record) => (record.mayCost ? writer.settle(toMessage(record)) : undefined),
  };
}
