/** Several measurements of one thing. */
export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** The value that the share `q` (0 to 1) of the samples does not exceed, by nearest rank. NaN without samples. */
export function quantile(samples: readonly number[], q: number): number {
  const sorted = Float64Array.from(samples).sort();
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN;
}

export function summarize(samples: readonly number[]): Summary {
  return { median: quantile(samples, 0.5), min: quantile(samples, 0), max: quantile(samples, 1) };
}

/**
 * Compares round by round, so that what slows the machine for a while weighs on both sides of each comparison.
 */
export function compareRounds(
  values: readonly number[],
  references: readonly number[],
  comparison: Comparison,
): number[] {
  return values.map((value, round) => {
    const reference = references[round] ?? Number.NaN;
    return comparison === "ratio" ? value / reference : value - reference;
  });
}

export type Comparison = "ratio" | "added";
