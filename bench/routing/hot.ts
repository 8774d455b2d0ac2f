import { atMost, type Section, single, versus } from "../report.ts";
import { quantile } from "../statistics.ts";
import { compareCpu, cpuScales } from "./compare-cpu.ts";
import { hotPaths } from "./hot-paths.ts";

/** Longest CPU time in µs that routing may add to a call with one healthy target. */
const budgetMicroseconds = 5;

/** Measures what routing adds to a call with one healthy target, and how much two equal paths differ. */
export async function measureHotPath(quick: boolean): Promise<Section> {
  const { direct, directAgain, routed } = await compareCpu(hotPaths, quick ? cpuScales.quick : cpuScales.full);
  // On a busy machine, the fast rounds are those that other processes disturbed least.
  const fast = (rounds: readonly number[]): number => quantile(rounds, 0.25);
  const figures = [
    versus("CPU per call through the router", "µs", "added", routed, direct, atMost(budgetMicroseconds)),
    versus("CPU per call directly, measured again (noise)", "µs", "added", directAgain, direct),
    single(
      "added by the router, from the fastest quarters",
      "µs",
      fast(routed) - fast(direct),
      atMost(budgetMicroseconds),
    ),
    single("noise, from the fastest quarters", "µs", fast(directAgain) - fast(direct)),
  ];
  return { title: "One healthy target, in this process", against: "directly", comparison: "added", figures };
}
