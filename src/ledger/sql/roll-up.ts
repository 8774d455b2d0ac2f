import type { NewCallRow } from "./record-row.ts";
import { type DurationColumn, durationBounds, durationColumns, type HourSum, hourGroups, hourSums } from "./tables.ts";

/** A row of `usage_hour`, as it is written. */
export type NewHourRow = Readonly<Record<keyof typeof hourGroups, string> & Record<HourSum, string>>;

/** Returns the beginning of the hour in UTC that contains a time. */
export function hourOf(isoTime: string): string {
  return `${isoTime.slice(0, 13)}:00:00.000Z`;
}

/** Stored text never contains it. */
const separator = "\0";

/**
 * Returns the sums over these calls that `usage_hour` gains, sorted by group: processes that update the same rows in the
 * same order cannot wait for each other.
 *
 * @param calls at most 500, so that sums of counts, which are at most 2^31, are exact
 */
export function rollUp(calls: readonly NewCallRow[]): readonly NewHourRow[] {
  const groups = new Map<string, Sums>();
  for (const call of calls) {
    const group = groupOf(call);
    let sums = groups.get(group);
    if (sums === undefined) {
      sums = new Sums();
      groups.set(group, sums);
    }
    sums.add(call);
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([group, sums]) => toRow(group, sums));
}

const groupNames = Object.keys(hourGroups);

function toRow(group: string, sums: Sums): NewHourRow {
  const values = group.split(separator);
  const names = groupNames.map((name, index) => [name, values[index]]);
  return Object.fromEntries([...names, ...sums.entries()]) as NewHourRow;
}

/**
 * Returns the values of `hourGroups`. A name that is no model, which only a refused call has, becomes the empty string:
 * otherwise a caller could add a row with every call.
 */
function groupOf({ start_time, account, key_id, route, model, provider, outcome }: NewCallRow): string {
  const known = provider === "" ? "" : model;
  return [hourOf(start_time), account, key_id, route, known, provider, outcome].join(separator);
}

/** Sums of columns that `call` has under the same name. */
const counts = [
  "input_tokens",
  "output_tokens",
  "cached_input_tokens",
  "cache_write_input_tokens",
  "reasoning_tokens",
] as const;

class Sums {
  readonly #numbers = new Map<HourSum, number>();
  #costNanos = 0n;

  add(call: NewCallRow): void {
    this.#add("calls", 1);
    for (const column of counts) this.#add(column, call[column] as number | null);
    if (call.cost_nanos !== null) this.#costNanos += BigInt(call.cost_nanos);
    else if (call.input_tokens !== null) this.#add("unpriced_calls", 1);
    if (call.duration_ms === null) return;
    this.#add("duration_ms", Math.round(call.duration_ms));
    this.#add(durationColumnOf(call.duration_ms), 1);
  }

  #add(sum: HourSum, value: number | null): void {
    if (value !== null) this.#numbers.set(sum, (this.#numbers.get(sum) ?? 0) + value);
  }

  entries(): readonly (readonly [HourSum, string])[] {
    return hourSums.map((sum) => [sum, String(sum === "cost_nanos" ? this.#costNanos : (this.#numbers.get(sum) ?? 0))]);
  }
}

function durationColumnOf(ms: number): DurationColumn {
  const index = durationBounds.findIndex((bound) => ms <= bound);
  return durationColumns[index] ?? "took_longer";
}
