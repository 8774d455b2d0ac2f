import type { UsageQuery, UsageSum } from "../../ledger/usage-reader.ts";
import type { TimeRange } from "./time-range.ts";

/** Sums and what they are of. */
export interface UsageReport {
  readonly range: TimeRange;
  readonly interval: UsageQuery["interval"];
  /** Names of the groups, as in the option `--by`. */
  readonly groups: readonly string[];
  readonly sums: readonly UsageSum[];
}

/**
 * Sorts sums for a report: steps of time in their order, and within each the greatest cost first, then the most calls.
 */
export function sortSums(sums: readonly UsageSum[]): readonly UsageSum[] {
  return sums.toSorted(
    (a, b) => a.startMs - b.startMs || Number(b.costNanos - a.costNanos) || Number(b.calls - a.calls),
  );
}
