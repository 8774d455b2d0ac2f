import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";

/** The result of one test: `passed`, `failed`, `skipped` or `pending`. */
export interface TestResult {
  /** Path from the working directory. */
  readonly file: string;
  /** Titles of the enclosing `describe` blocks, outermost first. */
  readonly ancestorTitles: readonly string[];
  readonly title: string;
  readonly status: string;
}

/** Vitest's report. `name` is the absolute path of a file. */
interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly Omit<TestResult, "file">[];
  }[];
}

/** Runs the tests in folders and files, and returns their results. Throws if the tests did not run. */
export function vitestResults(...tests: readonly string[]): readonly TestResult[] {
  const folder = mkdtempSync(join(tmpdir(), "dragoman-results-"));
  const file = join(folder, "report.json");
  try {
    const run = spawnSync("vitest", ["run", ...tests, "--reporter=json", `--outputFile=${file}`], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    if (!existsSync(file)) throw new Error(`the tests did not run (exit code ${run.status})`);
    const report: Report = JSON.parse(readFileSync(file, "utf8"));
    return report.testResults.flatMap(({ name, assertionResults }) =>
      assertionResults.map((result) => ({ ...result, file: relative(process.cwd(), name) })),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}
