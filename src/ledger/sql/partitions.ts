import { type Kysely, sql, type Transaction } from "kysely";
import type { LedgerTables } from "./tables.ts";

const dayMs = 86_400_000;

/** Days that have a partition before they begin, so that no record waits for one at midnight. */
const daysAhead = 3;

/** Number of the advisory lock that a process holds while it adds or removes partitions. */
const lockNumber = 4_207_849_484_071_301n;

/** Name of the partition of a day, such as `call_20261129`. */
const nameOf = (day: string) => `call_${day.replaceAll("-", "")}`;
const namePattern = /^call_(\d{4})(\d\d)(\d\d)$/;

const dayOf = (ms: number) => new Date(ms).toISOString().slice(0, 10);

/** Partitions of `call` on PostgreSQL: one for each day in UTC, created when a record or the next days need it. */
export class Partitions {
  readonly #days = new Set<string>();

  /** Creates the partitions of these days, such as `2026-11-29`, that do not exist yet. */
  async create(ledger: Kysely<LedgerTables>, days: Iterable<string>): Promise<void> {
    for (const day of new Set(days)) {
      if (this.#days.has(day)) continue;
      await ledger.transaction().execute((transaction) => createPartition(transaction, day));
      this.#days.add(day);
    }
  }

  async createAhead(ledger: Kysely<LedgerTables>, nowMs: number): Promise<void> {
    await this.create(
      ledger,
      Array.from({ length: daysAhead + 1 }, (_, index) => dayOf(nowMs + index * dayMs)),
    );
  }

  /** Makes `create` look again which partitions exist: another process may have removed one. */
  forget(): void {
    this.#days.clear();
  }
}

/** Does not use `create table … partition of`, which waits for all queries and stops new ones. */
async function createPartition(transaction: Transaction<LedgerTables>, day: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(${sql.lit(lockNumber)})`.execute(transaction);
  const name = nameOf(day);
  const { rows } = await sql<{ exists: boolean }>`select to_regclass(${name}) is not null as exists`.execute(
    transaction,
  );
  if (rows[0]?.exists) return;
  const end = dayOf(Date.parse(day) + dayMs);
  await sql`create table ${sql.table(name)} (like call including all)`.execute(transaction);
  await sql`alter table call attach partition ${sql.table(name)}
    for values from (${sql.lit(`${day} 00:00:00+00`)}) to (${sql.lit(`${end} 00:00:00+00`)})`.execute(transaction);
}

/** PostgreSQL's code for a lock that was not available within `lock_timeout`. */
const lockNotAvailable = "55P03";

/**
 * Removes the partitions that have only calls from before a time. While a query reads the table, it gives up after 2 s:
 * a partition that cannot be removed now is removed an hour later.
 */
export async function dropPartitions(ledger: Kysely<LedgerTables>, beforeMs: number): Promise<void> {
  const { rows } = await sql<{ name: string }>`select relname as name from pg_inherits
    join pg_class on pg_class.oid = inhrelid where inhparent = 'call'::regclass order by relname`.execute(ledger);
  for (const { name } of rows) {
    const [, year, month, day] = namePattern.exec(name) ?? [];
    if (year === undefined || Date.parse(`${year}-${month}-${day}`) + dayMs > beforeMs) continue;
    try {
      await ledger.transaction().execute(async (transaction) => {
        await sql`set local lock_timeout = '2s'`.execute(transaction);
        await sql`select pg_advisory_xact_lock(${sql.lit(lockNumber)})`.execute(transaction);
        await sql`drop table if exists ${sql.table(name)}`.execute(transaction);
      });
    } catch (error) {
      if ((error as { readonly code?: unknown }).code !== lockNotAvailable) throw error;
      return;
    }
  }
}
