/** Median and range of several measurements. */
export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Returns the nearest-rank quantile `q` (0 to 1) of the samples, or NaN if there are none. */
export function quantile(samples: readonly number[], q: number): number {
  const sorted = Float64Array.from(samples).sort();
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN;
}

export function summarize(samples: readonly number[]): Summary {
  return { median: quantile(samples, 0.5), min: quantile(samples, 0), max: quantile(samples, 1) };
}

/**
 * Compares the value of each round with the reference of the same round. A temporary slowdown of the machine then
 * affects both.
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
