import type { AccountStore } from "./accounts/account-store.ts";
import type { SpendingReader } from "./accounts/limits/spending-reader.ts";
import type { StoreSettings } from "./config/config.ts";
import { addressOf } from "./config/store.ts";
import type { Ledger } from "./ledger/ledger.ts";
import type { ShipperState } from "./ledger/outbox/shipper.ts";
import type { UsageReader } from "./ledger/usage-reader.ts";
import { moduleUrl } from "./module-url.ts";
import type { LogLine, StoreWorkerData } from "./store-worker.ts";
import type { Log } from "./telemetry/log.ts";
import { remote } from "./thread/remote.ts";
import { Thread } from "./thread/thread.ts";

/**
 * The thread that has the connection to `store.database`. It ships the outbox and removes old records, and it answers
 * what the process asks of the database. If it dies, it starts again.
 */
export interface StoreThread {
  readonly usage: UsageReader;
  readonly spending: SpendingReader;
  readonly accounts: AccountStore;
  readonly shipper: { state(): Promise<ShipperState>; adopt(): Promise<void> };
  /** Starts the thread, without waiting for it or for the database. */
  start(): void;
  /** Ships the rest of the outbox, within `graceMs` milliseconds, and ends the thread. */
  close(graceMs: number): Promise<void>;
}

/** Time in ms that the end of the thread takes beside the shipping. */
const endMs = 1_000;

/** @param ledger the folder of this process in the outbox, and the count of its records */
export function createStoreThread(
  store: StoreSettings,
  { instance, pendingMemory }: Pick<Ledger, "instance" | "pendingMemory">,
  log: Log,
): StoreThread {
  const { database, outbox, retention, sinks } = store;
  const data: StoreWorkerData = {
    ...{ address: addressOf(database), databaseName: database.name },
    ...{ outbox, instance, pendingMemory, retention, otlp: sinks.otlp },
  };
  const thread = new Thread({
    main: moduleUrl("./store-worker", import.meta.url),
    name: "store",
    data,
    // The thread has one event: a line for the log.
    onEvent(_, value) {
      const { level, fields, message } = value as LogLine;
      log[level]({ ...fields }, message);
    },
    onDown(err, restartMs) {
      if (restartMs === undefined) log.error({ err }, "the thread of the database failed at its end");
      else log.error({ err, restart_ms: Math.round(restartMs) }, "the thread of the database failed; it starts again");
    },
  });
  return {
    usage: remote<UsageReader>(thread, "usage", { queryUsage: 10_000, listCalls: 5_000, getCall: 5_000 }),
    spending: remote<SpendingReader>(thread, "spending", { spentBy: 10_000 }),
    accounts: remote<AccountStore>(thread, "accounts", {
      changesAfter: 5_000,
      createKey: 5_000,
      rotateKey: 5_000,
      revokeKey: 5_000,
      createAccount: 5_000,
      updateAccount: 5_000,
    }),
    shipper: remote<StoreThread["shipper"]>(thread, "shipper", { state: 1_000, adopt: 10_000 }),
    start: () => thread.start(),
    async close(graceMs) {
      const hasEnded = await thread.close(graceMs, endMs);
      if (!hasEnded)
        log.warn({ outbox }, "the thread of the database was ended by force; records can wait in the outbox");
    },
  };
}
