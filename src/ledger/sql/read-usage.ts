import { type Kysely, type RawBuilder, type SqlBool, sql } from "kysely";
import type { DatabaseKind } from "../../database/address.ts";
import type { CallScope, UsageFilter, UsageGroupName, UsageQuery, UsageSum } from "../usage-reader.ts";
import { inScope } from "./scope.ts";
import type { LedgerTables } from "./tables.ts";

const columns = {
  account: "account",
  key: "key_id",
  model: "model",
  provider: "provider",
  route: "route",
  outcome: "outcome",
} as const satisfies Partial<Record<UsageGroupName, string>>;

/** PostgreSQL adds integers to `numeric`. */
const sums = sql`
  cast(sum(calls) as bigint) as calls,
  cast(sum(case when outcome = 'ok' then 0 else calls end) as bigint) as failed_calls,
  cast(sum(input_tokens) as bigint) as input_tokens,
  cast(sum(output_tokens) as bigint) as output_tokens,
  cast(sum(cached_input_tokens) as bigint) as cached_input_tokens,
  cast(sum(cost_nanos) as bigint) as cost_nanos,
  cast(sum(unpriced_calls) as bigint) as unpriced_calls`;

interface SumRow {
  readonly start: string;
  readonly calls: bigint | null;
  readonly failed_calls: bigint;
  readonly input_tokens: bigint;
  readonly output_tokens: bigint;
  readonly cached_input_tokens: bigint;
  readonly cost_nanos: bigint;
  readonly unpriced_calls: bigint;
  readonly [group: `group_${number}`]: string;
}

/** See `UsageReader.queryUsage`. */
export async function queryUsage(
  ledger: Kysely<LedgerTables>,
  kind: DatabaseKind,
  query: UsageQuery,
  scope: CallScope,
): Promise<readonly UsageSum[]> {
  const { groupBy, interval, after, limit } = query;
  const steps = interval === "range" ? [] : [stepOf(kind, interval)];
  const keys = [...steps, ...groupBy.map((group) => groupOf(kind, group, query.labelKey))];
  const names = [...(steps.length > 0 ? ["start"] : []), ...groupBy.map((_, index) => `group_${index}`)];
  const named = keys.map((key, index) => sql`${key} as ${sql.ref(names[index] ?? "")}, `);
  const parts = sourcesOf(query).map((source) => selectFrom(source, query, scope));
  if (parts.length === 0) return [];
  const order = names.map((_, index) => sql.lit(index + 1));
  const { rows } = await sql<SumRow>`
    select ${sql.join(named, sql``)} ${sums}
    from (${sql.join(parts, sql` union all `)}) as part
    ${after === undefined ? sql`` : sql`where ${follows(keys, steps.length > 0, after)}`}
    ${names.length > 0 ? sql`group by ${sql.join(order)} order by ${sql.join(order)}` : sql``}
    limit ${limit}`.execute(ledger);
  return rows.flatMap((row) => toSum(row, query) ?? []);
}

/** Returns undefined for the one row that SQL has if there was nothing to add up. */
function toSum(row: SumRow, { startMs, groupBy, interval }: UsageQuery): UsageSum | undefined {
  if (row.calls === null) return undefined;
  return {
    startMs: interval === "range" ? startMs : Date.parse(row.start),
    groups: groupBy.map((_, index) => row[`group_${index}`] ?? ""),
    calls: row.calls,
    failedCalls: row.failed_calls,
    inputTokens: row.input_tokens,
    outputTokens: row.output_tokens,
    cachedInputTokens: row.cached_input_tokens,
    costNanos: row.cost_nanos,
    unpricedCalls: row.unpriced_calls,
  };
}

/** A table with sums, and the part of the time range that it is read for. */
interface Source {
  readonly table: "call" | "usage_hour" | "usage_day";
  readonly startMs: number;
  readonly endMs: number;
}

const dayMs = 86_400_000;

/** Sums by label come from `call`. Others come from `usage_day`, which has few rows, and `usage_hour` for the rest. */
function sourcesOf({ startMs, endMs, groupBy, interval }: UsageQuery): readonly Source[] {
  if (groupBy.includes("label")) return [{ table: "call", startMs, endMs }];
  const firstDayMs = Math.ceil(startMs / dayMs) * dayMs;
  const lastDayMs = Math.floor(endMs / dayMs) * dayMs;
  if (interval === "hour" || firstDayMs >= lastDayMs) return [{ table: "usage_hour", startMs, endMs }];
  const sources: readonly Source[] = [
    { table: "usage_hour", startMs, endMs: firstDayMs },
    { table: "usage_day", startMs: firstDayMs, endMs: lastDayMs },
    { table: "usage_hour", startMs: lastDayMs, endMs },
  ];
  return sources.filter((source) => source.startMs < source.endMs);
}

const times = { call: "start_time", usage_hour: "hour", usage_day: "day" } as const;

const sumColumns = sql`account, key_id, route, model, provider, outcome,
  calls, input_tokens, output_tokens, cached_input_tokens, cost_nanos, unpriced_calls`;

/** The same columns for single calls, with the labels. */
const callSums = sql`account, key_id, route, case when provider = '' then '' else model end as model, provider, outcome,
  1 as calls, coalesce(input_tokens, 0) as input_tokens, coalesce(output_tokens, 0) as output_tokens,
  coalesce(cached_input_tokens, 0) as cached_input_tokens, coalesce(cost_nanos, 0) as cost_nanos,
  case when input_tokens is not null and cost_nanos is null then 1 else 0 end as unpriced_calls, labels`;

/** Selects the rows to add up: those of the time range that match the filter, in the scope. */
function selectFrom({ table, startMs, endMs }: Source, { filter }: UsageQuery, scope: CallScope): RawBuilder<unknown> {
  const time = sql.ref(times[table]);
  const conditions = [
    sql<SqlBool>`${time} >= ${isoTime(startMs)} and ${time} < ${isoTime(endMs)}`,
    inScope(scope),
    ...filterConditions(filter, table),
  ];
  return sql`select ${time} as time, ${table === "call" ? callSums : sumColumns}
    from ${sql.table(table)} where ${sql.join(conditions, sql` and `)}`;
}

function filterConditions({ keyId, ...others }: UsageFilter, table: Source["table"]): readonly RawBuilder<SqlBool>[] {
  const values = Object.entries({ ...others, key_id: keyId }).filter(([, value]) => value !== undefined);
  return values.map(([column, value]) => {
    if (column !== "model" || table !== "call") return sql`${sql.ref(column)} = ${value}`;
    return sql`case when provider = '' then '' else model end = ${value}`;
  });
}

/** The condition that a row belongs to a sum after this place. Without keys, there is only one sum. */
function follows(
  keys: readonly RawBuilder<unknown>[],
  hasSteps: boolean,
  { startMs, groups }: NonNullable<UsageQuery["after"]>,
): RawBuilder<SqlBool> {
  const place = [...(hasSteps ? [isoTime(startMs)] : []), ...groups];
  return keys.length === 0 ? sql`false` : sql`(${sql.join(keys)}) > (${sql.join(place)})`;
}

/** Returns the beginning of the step of time, in UTC. */
function stepOf(kind: DatabaseKind, interval: "hour" | "day" | "month"): RawBuilder<unknown> {
  if (kind === "postgres") return sql`date_trunc(${sql.lit(interval)}, time, 'UTC')`;
  const rest = { hour: ":00:00.000Z", day: "T00:00:00.000Z", month: "-01T00:00:00.000Z" }[interval];
  const length = { hour: 13, day: 10, month: 7 }[interval];
  return sql`substr(time, 1, ${sql.lit(length)}) || ${sql.lit(rest)}`;
}

function groupOf(kind: DatabaseKind, group: UsageGroupName, labelKey: string): RawBuilder<unknown> {
  if (group !== "label") return sql.ref(columns[group]);
  // SQLite's ->> reads some keys as paths.
  return kind === "postgres"
    ? sql`coalesce(labels->>${labelKey}::text, '') collate "C"`
    : sql`coalesce((select value from json_each(labels) where key = ${labelKey}), '')`;
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
