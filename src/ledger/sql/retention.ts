import { type Kysely, sql } from "kysely";
import type { Database } from "../../database/database.ts";
import { dropPartitions, Partitions } from "./partitions.ts";
import { beginningOf, type Step } from "./roll-up.ts";
import type { LedgerTables } from "./tables.ts";

/** How long the database keeps what, in ms. 0: forever. */
export interface Retention {
  /** Rows of `call`. On PostgreSQL, up to a day longer: whole days are removed. */
  readonly callsMs: number;
  /** Rows of `usage_hour` and `usage_day`. */
  readonly hoursMs: number;
}

/** Rows that one transaction deletes on SQLite. While it runs, no other process can write. */
const deletedAtOnce = 1000;

/**
 * Creates the partitions of the next days, and removes what is older than `retention`.
 *
 * @param signal ends it early, between two transactions
 */
export async function maintainLedger(
  database: Database,
  retention: Retention,
  nowMs = Date.now(),
  signal = new AbortController().signal,
): Promise<void> {
  const ledger = (await database.open()).$extendTables<LedgerTables>();
  if (database.kind === "postgres") await new Partitions().createAhead(ledger, nowMs);
  if (retention.callsMs > 0) {
    const beforeMs = nowMs - retention.callsMs;
    if (database.kind === "postgres") await dropPartitions(ledger, beforeMs);
    else await deleteCalls(ledger, new Date(beforeMs).toISOString(), signal);
  }
  if (retention.hoursMs > 0) {
    const before = new Date(nowMs - retention.hoursMs).toISOString();
    await deleteSums(ledger, "hour", beginningOf("hour", before), signal);
    await deleteSums(ledger, "day", beginningOf("day", before), signal);
  }
}

async function deleteCalls(ledger: Kysely<LedgerTables>, before: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const oldest = ledger
      .selectFrom("call")
      .select("id")
      .where("start_time", "<", before)
      .orderBy("start_time")
      .limit(deletedAtOnce);
    const { numDeletedRows } = await ledger.deleteFrom("call").where("id", "in", oldest).executeTakeFirstOrThrow();
    if (numDeletedRows < deletedAtOnce) return;
    await otherWork();
  }
}

/** Deletes one hour or day at a time. */
async function deleteSums(
  ledger: Kysely<LedgerTables>,
  step: Step,
  before: string,
  signal: AbortSignal,
): Promise<void> {
  const [table, time] = [sql.table(`usage_${step}`), sql.ref(step)];
  while (!signal.aborted) {
    const { rows } = await sql`delete from ${table}
      where ${time} = (select min(${time}) from ${table} where ${time} < ${before}) returning account`.execute(ledger);
    if (rows.length === 0) return;
    await otherWork();
  }
}

/** SQLite answers in the same turn: without this, no other work of the thread would run in between. */
function otherWork(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

const intervalMs = 3_600_000;

/**
 * Calls `maintainLedger` now and every hour. Several processes may do so.
 *
 * @param onError what to do with an error, after which the next hour tries again
 * @returns a function that ends it, and resolves when its transaction has ended
 */
export function keepMaintained(
  database: Database,
  retention: Retention,
  onError: (error: unknown) => void,
): () => Promise<void> {
  const ending = new AbortController();
  let running = Promise.resolve();
  const run = () => {
    running = running.then(() => maintainLedger(database, retention, Date.now(), ending.signal)).catch(onError);
  };
  run();
  const timer = setInterval(run, intervalMs).unref();
  return () => {
    clearInterval(timer);
    ending.abort();
    return running;
  };
}
