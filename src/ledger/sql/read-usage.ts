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

/** Sums over `usage_hour`. PostgreSQL adds integers to `numeric`. */
const hourSums = sql`
  cast(sum(calls) as bigint) as calls,
  cast(sum(case when outcome = 'ok' then 0 else calls end) as bigint) as failed_calls,
  cast(sum(input_tokens) as bigint) as input_tokens,
  cast(sum(output_tokens) as bigint) as output_tokens,
  cast(sum(cached_input_tokens) as bigint) as cached_input_tokens,
  cast(sum(cost_nanos) as bigint) as cost_nanos,
  cast(sum(unpriced_calls) as bigint) as unpriced_calls`;

/** The same sums over `call`. */
const callSums = sql`
  count(*) as calls,
  count(case when outcome = 'ok' then null else 1 end) as failed_calls,
  cast(coalesce(sum(input_tokens), 0) as bigint) as input_tokens,
  cast(coalesce(sum(output_tokens), 0) as bigint) as output_tokens,
  cast(coalesce(sum(cached_input_tokens), 0) as bigint) as cached_input_tokens,
  cast(coalesce(sum(cost_nanos), 0) as bigint) as cost_nanos,
  count(case when cost_nanos is null then input_tokens end) as unpriced_calls`;

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

/** See `UsageReader.queryUsage`. Sums by label come from `call`, all others from `usage_hour`. */
export async function queryUsage(
  ledger: Kysely<LedgerTables>,
  kind: DatabaseKind,
  query: UsageQuery,
  scope: CallScope,
): Promise<readonly UsageSum[]> {
  const { startMs, endMs, groupBy, interval, filter, limit, after } = query;
  const byLabel = groupBy.includes("label");
  const time = sql.ref(byLabel ? "start_time" : "hour");
  const steps = interval === "range" ? [] : [stepOf(kind, interval, time)];
  const keys = [...steps, ...groupBy.map((group) => groupOf(kind, group, query.labelKey, byLabel))];
  const names = [...(steps.length > 0 ? ["start"] : []), ...groupBy.map((_, index) => `group_${index}`)];
  const named = keys.map((key, index) => sql`${key} as ${sql.ref(names[index] ?? "")}, `);
  const conditions = [
    sql<SqlBool>`${time} >= ${isoTime(startMs)} and ${time} < ${isoTime(endMs)}`,
    inScope(scope),
    ...filterConditions(filter, byLabel),
  ];
  if (after !== undefined) {
    const place = [...(steps.length > 0 ? [isoTime(after.startMs)] : []), ...after.groups];
    // Without keys, the only sum was on the page before.
    conditions.push(keys.length === 0 ? sql`false` : sql`(${sql.join(keys)}) > (${sql.join(place)})`);
  }
  const order = names.map((_, index) => sql.lit(index + 1));
  const { rows } = await sql<SumRow>`
    select ${sql.join(named, sql``)} ${byLabel ? callSums : hourSums}
    from ${sql.table(byLabel ? "call" : "usage_hour")}
    where ${sql.join(conditions, sql` and `)}
    ${names.length > 0 ? sql`group by ${sql.join(order)} order by ${sql.join(order)}` : sql``}
    limit ${limit}`.execute(ledger);
  return rows.flatMap((row) => toSum(row, query) ?? []);
}

/** Returns undefined for the one row that SQL has if there was nothing to add up. */
function toSum(row: SumRow, { startMs, groupBy, interval }: UsageQuery): UsageSum | undefined {
  if (row.calls === null || row.calls === 0n) return undefined;
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

/** Returns the beginning of the step of time, in UTC, that contains a time. */
function stepOf(
  kind: DatabaseKind,
  interval: "hour" | "day" | "month",
  time: RawBuilder<unknown>,
): RawBuilder<unknown> {
  if (kind === "postgres") return sql`date_trunc(${sql.lit(interval)}, ${time}, 'UTC')`;
  const rest = { hour: ":00:00.000Z", day: "T00:00:00.000Z", month: "-01T00:00:00.000Z" }[interval];
  const length = { hour: 13, day: 10, month: 7 }[interval];
  return sql`substr(${time}, 1, ${sql.lit(length)}) || ${sql.lit(rest)}`;
}

function groupOf(kind: DatabaseKind, group: UsageGroupName, labelKey: string, byLabel: boolean): RawBuilder<unknown> {
  if (group !== "label") return columnOf(columns[group], byLabel);
  // SQLite's ->> reads some keys as paths.
  return kind === "postgres"
    ? sql`coalesce(labels->>${labelKey}::text, '') collate "C"`
    : sql`coalesce((select value from json_each(labels) where key = ${labelKey}), '')`;
}

/** Returns a column as `usage_hour` has it. */
function columnOf(column: string, byLabel: boolean): RawBuilder<unknown> {
  return byLabel && column === "model" ? sql`case when provider = '' then '' else model end` : sql.ref(column);
}

function filterConditions(filter: UsageFilter, byLabel: boolean): readonly RawBuilder<SqlBool>[] {
  const { keyId, ...others } = filter;
  const values = Object.entries({ ...others, key_id: keyId }).filter(([, value]) => value !== undefined);
  return values.map(([column, value]) => sql`${columnOf(column, byLabel)} = ${value}`);
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
