import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // One more than CI has processors: tests wait for processes and timers a third of the time.
    maxWorkers: 3,
    // Files of one worker share their modules: loading them anew for each file took a third of the time. A test that
    // changes shared state, such as timers, restores it.
    isolate: false,
    unstubEnvs: true,
    restoreMocks: true,
    reporters: ["default", "./test/summary-reporter.ts"],
  },
});
