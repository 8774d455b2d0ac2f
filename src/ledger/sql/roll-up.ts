import type { NewCallRow } from "./record-row.ts";
import {
  type DurationColumn,
  durationBounds,
  durationColumns,
  type UsageSumColumn,
  usageGroups,
  usageSums,
} from "./tables.ts";

/** Step of time that has sums of its own, in UTC. */
export type Step = "hour" | "day";

/** A row of `usage_hour` or `usage_day`, as it is written. */
export type NewSumRow<Of extends Step> = Readonly<
  Record<Of | keyof typeof usageGroups, string> & Record<UsageSumColumn, string | number>
>;

/** Returns the beginning of the hour or day that contains a time. */
export function beginningOf(step: Step, isoTime: string): string {
  return step === "hour" ? `${isoTime.slice(0, 13)}:00:00.000Z` : `${isoTime.slice(0, 10)}T00:00:00.000Z`;
}

/** Stored text never contains it. */
const separator = "\0";

/**
 * Returns the sums over these calls that `usage_hour` or `usage_day` gains, sorted by group: processes that update the
 * same rows in the same order cannot wait for each other.
 *
 * @param calls at most 500, so that sums of counts, which are at most 2^31, are exact
 */
export function rollUp<Of extends Step>(step: Of, calls: readonly NewCallRow[]): readonly NewSumRow<Of>[] {
  const groups = new Map<string, Sums>();
  for (const call of calls) {
    const group = groupOf(step, call);
    let sums = groups.get(group);
    if (sums === undefined) {
      sums = new Sums();
      groups.set(group, sums);
    }
    sums.add(call);
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([group, sums]) => toRow(step, group, sums));
}

const groupNames = Object.keys(usageGroups);

function toRow<Of extends Step>(step: Of, group: string, sums: Sums): NewSumRow<Of> {
  const row: Record<string, string | number> = {};
  const values = group.split(separator);
  for (const [index, name] of [step, ...groupNames].entries()) row[name] = values[index] ?? "";
  for (const sum of usageSums) row[sum] = sums.get(sum);
  return row as NewSumRow<Of>;
}

/**
 * Returns the time and the values of `usageGroups`. A name that is no model, which only a refused call has, becomes the
 * empty string: otherwise a caller could add a row with every call.
 */
function groupOf(step: Step, { start_time, account, key_id, route, model, provider, outcome }: NewCallRow): string {
  const known = provider === "" ? "" : model;
  return [beginningOf(step, start_time), account, key_id, route, known, provider, outcome].join(separator);
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
  readonly #numbers = new Map<UsageSumColumn, number>();
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

  #add(sum: UsageSumColumn, value: number | null): void {
    if (value !== null) this.#numbers.set(sum, (this.#numbers.get(sum) ?? 0) + value);
  }

  /** Returns text for the sum that can be above 2^53. */
  get(sum: UsageSumColumn): string | number {
    return sum === "cost_nanos" ? String(this.#costNanos) : (this.#numbers.get(sum) ?? 0);
  }
}

function durationColumnOf(ms: number): DurationColumn {
  const index = durationBounds.findIndex((bound) => ms <= bound);
  return durationColumns[index] ?? "took_longer";
}
