/**
 * Fuzzes the service: `npm run fuzz -- --minutes 30`. Options: `--seconds`, `--seed` (default: random), `--attack`
 * (default: all, in turns). Keeps shots that break a law in `.fuzz/`; move such a file to `test/fuzz/cases/`, with a
 * name that says what it is, when the fault is fixed.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { attacks } from "./attacks/index.ts";
import { bounds } from "./bounds.ts";
import { type Finding, runAttack } from "./driver.ts";

const folder = new URL("../../.fuzz/", import.meta.url).pathname;
const defaultSeconds = 75;

const { values } = parseArgs({
  options: {
    minutes: { type: "string" },
    seconds: { type: "string" },
    seed: { type: "string" },
    attack: { type: "string" },
  },
});
const seconds = Number(values.seconds ?? (values.minutes === undefined ? defaultSeconds : Number(values.minutes) * 60));
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
const chosen = attacks.filter(({ name }) => values.attack === undefined || name === values.attack);
if (!(seconds > 0) || !Number.isInteger(seed) || chosen.length === 0) {
  process.stderr.write(
    `usage: npm run fuzz -- [--minutes n | --seconds n] [--seed n] [--attack ${attacks.map(({ name }) => name).join(" | ")}]\n`,
  );
  process.exit(2);
}

process.stdout.write(`fuzzing for ${seconds} s with --seed ${seed}\n`);
const share = (seconds * 1000) / chosen.length;
let kept = 0;
for (const attack of chosen) {
  const end = performance.now() + share;
  const { shots, findings, figures } = await runAttack(attack, { seed, bounds, more: () => performance.now() < end });
  const { longestTurnMs, longestGapMs, peakRssMiB, last } = figures;
  process.stdout.write(
    `${attack.name}: ${shots} shots, ${last?.begun} calls, ${findings.length} findings; longest turn ${longestTurnMs.toFixed()} ms of CPU time (gap ${longestGapMs.toFixed()} ms), memory ${last?.rssMiB.toFixed()} MiB (peak ${peakRssMiB.toFixed()}), CPU ${last?.cpuSeconds.toFixed()} s, ${last?.descriptors} descriptors\n`,
  );
  for (const finding of findings) keep(finding);
}
process.exitCode = kept > 0 ? 1 : 0;

function keep({ attack, shots, problems }: Finding): void {
  mkdirSync(folder, { recursive: true });
  const file = `${folder}${attack}-${seed}-${++kept}.json`;
  writeFileSync(file, `${JSON.stringify(shots, undefined, 2)}\n`);
  process.stdout.write(`${file}:\n${problems.map((problem) => `  ${problem.slice(0, 1000)}\n`).join("")}`);
}
