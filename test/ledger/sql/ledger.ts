import { timestampMs } from "@bufbuild/protobuf/wkt";
import { sql } from "kysely";
import { expect } from "vitest";
import type { Database } from "../../../src/database/database.ts";
import { CallOutcome, type CallRecord } from "../../../src/gen/dragoman/admin/v1/call_record_pb.js";
import { type LedgerTables, type UsageSumColumn, usageSums } from "../../../src/ledger/sql/tables.ts";
import type { UsageGroupName, UsageQuery, UsageSum } from "../../../src/ledger/usage-reader.ts";

export const all = { calls: "all" } as const;

/** Returns the ids in the table `call`, sorted. */
export async function storedIds(database: Database): Promise<readonly string[]> {
  const { rows } = await sql<{ id: string }>`select id from call order by id`.execute(await database.open());
  return rows.map(({ id }) => id);
}

/** Returns the sums over the whole table `usage_hour`, which must be those over `usage_day`. */
export async function usageTotals(database: Database): Promise<Readonly<Record<UsageSumColumn, bigint>>> {
  const [hours, days] = [await totalsOf(database, "usage_hour"), await totalsOf(database, "usage_day")];
  expect(days).toEqual(hours);
  return hours;
}

export async function totalsOf(database: Database, table: "usage_hour" | "usage_day") {
  const ledger = (await database.open()).$extendTables<LedgerTables>();
  const rows = await ledger.selectFrom(table).select(usageSums).execute();
  const totals = usageSums.map((sum) => [sum, rows.reduce((total, row) => total + row[sum], 0n)]);
  return Object.fromEntries(totals) as Record<UsageSumColumn, bigint>;
}

const stepMs = (ms: number, interval: UsageQuery["interval"], startMs: number): number => {
  const iso = new Date(ms).toISOString();
  if (interval === "range") return startMs;
  if (interval === "hour") return Date.parse(`${iso.slice(0, 13)}:00Z`);
  return Date.parse(interval === "day" ? iso.slice(0, 10) : `${iso.slice(0, 7)}-01`);
};

const groupOf = (record: CallRecord, group: UsageGroupName, labelKey: string): string => {
  const { account, keyId, model, provider, route, outcome, labels } = record;
  const values = { account, key: keyId, model: provider === "" ? "" : model, provider, route };
  if (group === "label") return Object.hasOwn(labels, labelKey) ? (labels[labelKey] ?? "") : "";
  return group === "outcome" ? (CallOutcome[outcome] ?? "").toLowerCase() : values[group];
};

const byCodePoints = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** Computes what `queryUsage` must return without a place and a limit. */
export function expectedSums(records: readonly CallRecord[], query: UsageQuery): readonly UsageSum[] {
  const { startMs, endMs, groupBy, interval, labelKey, filter } = query;
  const sums = new Map<string, { -readonly [Field in keyof UsageSum]: UsageSum[Field] }>();
  for (const record of records) {
    const ms = record.startTime === undefined ? 0 : timestampMs(record.startTime);
    if (ms < startMs || ms >= endMs) continue;
    const { keyId: key, ...others } = filter;
    const filters = Object.entries({ ...others, key }) as [UsageGroupName, string | undefined][];
    if (filters.some(([name, value]) => value !== undefined && groupOf(record, name, "") !== value)) continue;
    const place = {
      startMs: stepMs(ms, interval, startMs),
      groups: groupBy.map((group) => groupOf(record, group, labelKey)),
    };
    const none = { calls: 0n, failedCalls: 0n, inputTokens: 0n, outputTokens: 0n, cachedInputTokens: 0n };
    const sum = sums.get(JSON.stringify(place)) ?? { ...place, ...none, costNanos: 0n, unpricedCalls: 0n };
    sums.set(JSON.stringify(place), sum);
    sum.calls++;
    if (record.outcome !== CallOutcome.OK) sum.failedCalls++;
    const { usage } = record;
    sum.inputTokens += BigInt(usage?.inputTokens ?? 0);
    sum.outputTokens += BigInt(usage?.outputTokens ?? 0);
    sum.cachedInputTokens += BigInt(usage?.cachedInputTokens ?? 0);
    sum.costNanos += usage?.cost?.totalNanos ?? 0n;
    if (usage !== undefined && usage.cost === undefined) sum.unpricedCalls++;
  }
  return [...sums.values()].sort((a, b) => {
    const order = a.groups.map((group, index) => byCodePoints(group, b.groups[index] ?? ""));
    return a.startMs - b.startMs || (order.find((difference) => difference !== 0) ?? 0);
  });
}
