import type { Reporter, TestModule } from "vitest/node";

/** Closes a run with one plain line that scripts can read. */
// biome-ignore lint/style/noDefaultExport: vitest loads a reporter file by its default export
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const counts = { passed: 0, failed: 0, skipped: 0 };
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state !== "pending") counts[state]++;
      }
      // A file that could not be loaded has no tests, and must not pass for a success.
      if (module.state() === "failed" && counts.failed === 0) counts.failed++;
    }
    process.stdout.write(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`);
  }
}
