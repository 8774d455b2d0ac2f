import type { NewCallRow } from "./record-row.ts";
import { type DurationColumn, durationBounds, durationColumns, type HourSum, hourGroups, hourSums } from "./tables.ts";

/** A row of `usage_hour`, as it is written: sums are text, since they can be above 2^53. */
export type NewHourRow = Readonly<Record<keyof typeof hourGroups | HourSum, string>>;

const hourMs = 3_600_000;

/** Returns the beginning of the hour in UTC that contains a time. */
export function hourOf(isoTime: string): string {
  return new Date(Math.floor(Date.parse(isoTime) / hourMs) * hourMs).toISOString();
}

/**
 * Returns the sums over these calls that `usage_hour` gains, sorted by group: processes that update the same rows in the
 * same order cannot wait for each other.
 */
export function rollUp(calls: readonly NewCallRow[]): readonly NewHourRow[] {
  const groups = new Map<string, Map<HourSum, bigint>>();
  for (const call of calls) {
    const group = JSON.stringify(groupOf(call));
    let sums = groups.get(group);
    if (sums === undefined) {
      sums = new Map(hourSums.map((sum) => [sum, 0n]));
      groups.set(group, sums);
    }
    addCall(sums, call);
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([group, sums]) => toRow(JSON.parse(group), sums));
}

function toRow(group: readonly string[], sums: ReadonlyMap<HourSum, bigint>): NewHourRow {
  const names = Object.keys(hourGroups).map((column, index) => [column, group[index]]);
  return Object.fromEntries([...names, ...[...sums].map(([sum, value]) => [sum, String(value)])]) as NewHourRow;
}

/**
 * Returns the values of `hourGroups`. A name that is no model, which only a refused call has, becomes the empty string:
 * otherwise a caller could add a row with every call.
 */
function groupOf({ start_time, account, key_id, route, model, provider, outcome }: NewCallRow) {
  return [hourOf(start_time), account, key_id, route, provider === "" ? "" : model, provider, outcome];
}

/** Sums of columns that `call` has under the same name. */
const summed = [
  "input_tokens",
  "output_tokens",
  "cached_input_tokens",
  "cache_write_input_tokens",
  "reasoning_tokens",
  "cost_nanos",
] as const;

function addCall(sums: Map<HourSum, bigint>, call: NewCallRow): void {
  const add = (sum: HourSum, value: bigint) => sums.set(sum, (sums.get(sum) ?? 0n) + value);
  add("calls", 1n);
  if (call.input_tokens !== null && call.cost_nanos === null) add("unpriced_calls", 1n);
  for (const column of summed) add(column, BigInt(String(call[column] ?? 0)));
  if (call.duration_ms === null) return;
  add("duration_ms", BigInt(Math.round(call.duration_ms)));
  add(durationColumnOf(call.duration_ms), 1n);
}

function durationColumnOf(ms: number): DurationColumn {
  const index = durationBounds.findIndex((bound) => ms <= bound);
  return durationColumns[index] ?? "took_longer";
}
