import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The result of one test: `passed`, `failed`, `skipped` or `pending`. */
export interface TestResult {
  /** Titles of the enclosing `describe` blocks, outermost first. */
  readonly ancestorTitles: readonly string[];
  readonly title: string;
  readonly status: string;
}

/** Runs the tests in a folder and returns their results. Throws if the tests did not run. */
export function vitestResults(tests: string): readonly TestResult[] {
  const folder = mkdtempSync(join(tmpdir(), "dragoman-results-"));
  const file = join(folder, "report.json");
  try {
    const run = spawnSync("vitest", ["run", tests, "--reporter=json", `--outputFile=${file}`], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    if (!existsSync(file)) throw new Error(`the tests did not run (exit code ${run.status})`);
    const report: { readonly testResults: readonly { readonly assertionResults: readonly TestResult[] }[] } =
      JSON.parse(readFileSync(file, "utf8"));
    return report.testResults.flatMap(({ assertionResults }) => assertionResults);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
