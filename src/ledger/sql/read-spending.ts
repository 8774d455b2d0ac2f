import { type Kysely, type RawBuilder, sql } from "kysely";
import type { SpendingQuery, SpendingReader } from "../../accounts/limits/spending-reader.ts";
import type { Database } from "../../database/database.ts";
import type { Retention } from "./retention.ts";
import { storable } from "./storable.ts";
import type { LedgerTables } from "./tables.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** A table, and the part of the time range that it is read for. */
interface Source {
  readonly table: "call" | "usage_hour" | "usage_day";
  readonly startMs: number;
  readonly endMs: number;
}

const times = { call: "start_time", usage_hour: "hour", usage_day: "day" } as const;

/**
 * Reads what calls have cost from the sums of whole days and hours, and from single calls at the ends of the time range:
 * a period begins within an hour of UTC in some time zones, and a process begins at any time.
 */
export function createSpendingReader(database: Database, retention: Retention): SpendingReader {
  return {
    async spentBy(query) {
      const ledger = (await database.open()).$extendTables<LedgerTables>();
      return new Map(await readSpending(ledger, storable(query), retention));
    },
  };
}

async function readSpending(
  ledger: Kysely<LedgerTables>,
  query: SpendingQuery,
  retention: Retention,
): Promise<readonly (readonly [id: string, nanos: number])[]> {
  const parts = sourcesOf(query, retention).map((source) => selectFrom(source, query));
  if (parts.length === 0) return [];
  const { rows } = await sql<{ id: string; nanos: bigint }>`
    select id, cast(sum(cost_nanos) as bigint) as nanos from (${sql.join(parts, sql` union all `)}) as part
    group by id having sum(cost_nanos) > 0`.execute(ledger);
  return rows.map(({ id, nanos }) => [id, nanos > largest ? Number(largest) : Number(nanos)]);
}

/** Amounts of limits are numbers below 2^53: nine million dollars. */
const largest = BigInt(Number.MAX_SAFE_INTEGER);

function selectFrom({ table, startMs, endMs }: Source, { by, ids }: SpendingQuery): RawBuilder<unknown> {
  const time = sql.ref(times[table]);
  const id = sql.ref(by === "account" ? "account" : "key_id");
  return sql`select ${id} as id, cost_nanos from ${sql.table(table)}
    where ${id} in (${sql.join(ids)}) and ${time} >= ${isoTime(startMs)} and ${time} < ${isoTime(endMs)}
    and cost_nanos > 0`;
}

function sourcesOf(query: SpendingQuery, { callsMs }: Retention): readonly Source[] {
  const { endMs } = query;
  // The single calls of that hour may have been removed: the whole hour counts, which is more rather than less.
  const hasCalls = callsMs === 0 || query.startMs > Date.now() - callsMs + hourMs;
  const startMs = hasCalls ? query.startMs : floor(query.startMs, hourMs);
  const bounds = [
    startMs,
    ...[ceil(startMs, hourMs), ceil(startMs, dayMs), floor(endMs, dayMs), floor(endMs, hourMs)],
    endMs,
  ] as const;
  const [begin, firstHour, firstDay, lastDay, lastHour, end] = bounds;
  if (firstHour >= lastHour) return nonEmpty([{ table: "call", startMs: begin, endMs: end }]);
  const ends: readonly Source[] = [
    { table: "call", startMs: begin, endMs: firstHour },
    { table: "call", startMs: lastHour, endMs: end },
  ];
  if (firstDay >= lastDay) return nonEmpty([...ends, { table: "usage_hour", startMs: firstHour, endMs: lastHour }]);
  return nonEmpty([
    ...ends,
    { table: "usage_hour", startMs: firstHour, endMs: firstDay },
    { table: "usage_day", startMs: firstDay, endMs: lastDay },
    { table: "usage_hour", startMs: lastDay, endMs: lastHour },
  ]);
}

function nonEmpty(sources: readonly Source[]): readonly Source[] {
  return sources.filter(({ startMs, endMs }) => startMs < endMs);
}

const floor = (ms: number, step: number) => Math.floor(ms / step) * step;
const ceil = (ms: number, step: number) => Math.ceil(ms / step) * step;

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
