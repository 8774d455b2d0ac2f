import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { countsOf } from "./counts.ts";
import { check } from "./laws.ts";
import { play } from "./play.ts";
import { print } from "./print.ts";
import { scripts } from "./scripts.ts";

/** Scripts of each run of the tests: about 15 s of CPU. ROUTING_RUNS sets another number. */
const usualRuns = 10_000;

const numRuns = Number(process.env.ROUTING_RUNS ?? usualRuns);
const seed = process.env.ROUTING_SEED === undefined ? {} : { seed: Number(process.env.ROUTING_SEED) };

test("keeps the laws of routing for all providers, calls, deadlines and cancels", {
  timeout: 60_000 + 10 * numRuns,
}, async () => {
  const counts: Record<string, number> = { scripts: 0 };
  // A third of the time would go to stacks that nobody reads.
  const { stackTraceLimit } = Error;
  onTestFinished(() => {
    Error.stackTraceLimit = stackTraceLimit;
  });
  Error.stackTraceLimit = 0;
  await fc.assert(
    fc.asyncProperty(scripts, async (script) => {
      const trace = await play(script);
      try {
        check(trace);
      } catch (error) {
        throw new Error(`${(error as Error).message}\n${print(trace)}`);
      }
      counts.scripts = (counts.scripts ?? 0) + 1;
      for (const [name, count] of Object.entries(countsOf(trace))) counts[name] = (counts[name] ?? 0) + count;
    }),
    { numRuns, ...seed },
  );
  process.stdout.write(
    `routing law: ${Object.entries(counts)
      .map(([name, count]) => `${count} ${name}`)
      .join(", ")}\n`,
  );
  // A few scripts cannot have everything.
  if (numRuns >= 1_000) expect(Object.values(counts)).not.toContain(0);
});
