import { sections } from "../test/behaviours/rows.ts";
import { type TestResult, vitestResults } from "./vitest-results.ts";

// Runs one test for each behaviour of the published chat APIs, and prints the number, tier and result of each.

const resultNames: Readonly<Record<string, string>> = {
  passed: "holds",
  failed: "FAILED",
  skipped: "skipped",
  pending: "skipped",
};

process.exitCode = print(vitestResults("test/behaviours")) ? 0 : 1;

/** Prints the table and its totals. Returns false if a row has failed or has no test. */
function print(tests: readonly TestResult[]): boolean {
  const results = new Map<number, { status: string; reason: string }>();
  for (const { title, status } of tests) {
    const number = Number(/^behaviour (\d+) /.exec(title)?.[1] ?? Number.NaN);
    results.set(number, { status, reason: title.split(" — ")[1] ?? "" });
  }
  const totals = new Map<string, Record<string, number>>();
  for (const [section, rows] of Object.entries(sections)) {
    console.log(`\n${section}`);
    for (const { number, tier, sentence } of rows) {
      const { status, reason } = results.get(number) ?? { status: "no test", reason: "" };
      const result = resultNames[status] ?? status;
      const counts = totals.get(tier) ?? {};
      counts[result] = (counts[result] ?? 0) + 1;
      totals.set(tier, counts);
      console.log(`${String(number).padStart(4)}  ${tier.padEnd(5)}  ${result.padEnd(8)}  ${sentence}`);
      if (reason !== "") console.log(`${" ".repeat(23)}${reason}`);
    }
  }
  console.log();
  for (const [tier, counts] of totals) {
    const listed = Object.entries(counts).map(([result, count]) => `${count} ${result}`);
    console.log(`${tier.padEnd(5)}  ${listed.join(", ")}`);
  }
  return [...totals.values()].every((counts) => !counts.FAILED && !counts["no test"]);
}
