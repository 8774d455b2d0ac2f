import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sections } from "../test/behaviours/rows.ts";

// Runs one test for each behaviour of the chat APIs that this service implements, and prints row, tier and result.

interface Report {
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly title: string; readonly status: string }[];
  }[];
}

const words: Readonly<Record<string, string>> = {
  passed: "holds",
  failed: "FAILED",
  skipped: "listed",
  pending: "listed",
};

const folder = mkdtempSync(join(tmpdir(), "dragoman-behaviours-"));
const file = join(folder, "report.json");
try {
  const run = spawnSync("vitest", ["run", "test/behaviours", "--reporter=json", `--outputFile=${file}`], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (!existsSync(file)) throw new Error(`the tests did not run (exit code ${run.status})`);
  process.exitCode = print(JSON.parse(readFileSync(file, "utf8"))) ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true });
}

/** Prints the table and its totals; false when a row has failed or has no test. */
function print({ testResults }: Report): boolean {
  const results = new Map<number, { status: string; reason: string }>();
  for (const { title, status } of testResults.flatMap(({ assertionResults }) => assertionResults)) {
    const number = Number(/^behaviour (\d+) /.exec(title)?.[1] ?? Number.NaN);
    results.set(number, { status, reason: title.split(" — ")[1] ?? "" });
  }
  const totals = new Map<string, Record<string, number>>();
  for (const [section, rows] of Object.entries(sections)) {
    console.log(`\n${section}`);
    for (const { number, tier, sentence } of rows) {
      const { status, reason } = results.get(number) ?? { status: "no test", reason: "" };
      const result = words[status] ?? status;
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
