/**
 * Proves the promise of the ledger by killing: `npm run kills`. Prints how the rounds of each way ended, as a table, and
 * exits with 1 if the ledger contradicts what a client saw. Options: `--one`, `--two` and `--postgres` are the numbers
 * of rounds, with a process, with two processes that share an outbox, and with faults of PostgreSQL. After `--minutes`, no
 * further rounds begin.
 */
import { parseArgs } from "node:util";
import { noPostgres, startPostgres } from "../../support/postgres.ts";
import { Block } from "./block.ts";
import type { Finding } from "./check.ts";
import { disturbPostgres } from "./postgres.ts";
import { killOfTwoProcesses, killOneProcess } from "./processes.ts";

/** Rounds with one outbox and database. */
const blockRounds = 10;

/** Maximum number of contradictions that are printed for each block. */
const mostPrinted = 20;

const { values } = parseArgs({
  options: {
    one: { type: "string", default: "100" },
    two: { type: "string", default: "100" },
    postgres: { type: "string", default: "60" },
    minutes: { type: "string", default: "60" },
  },
});

const end = performance.now() + Number(values.minutes) * 60_000;

const columns = ["calls", "acknowledged", "records", "lost", "late", "missing", "doubled"] as const;
type Column = (typeof columns)[number];

let problemCount = 0;

/** Runs the rounds in blocks, and prints a row of the table. */
async function run(
  name: string,
  rounds: number,
  block: (first: number, count: number, isLast: boolean) => Promise<Finding>,
) {
  const sums = Object.fromEntries(columns.map((column) => [column, 0])) as Record<Column, number>;
  let problems = 0;
  let first = 0;
  while (first < rounds && performance.now() < end) {
    const count = Math.min(blockRounds, rounds - first);
    const finding = await block(first, count, first + count === rounds);
    for (const column of columns) sums[column] += finding[column];
    problems += finding.problems.length;
    first += count;
    process.stderr.write(`${name}: ${first} of ${rounds} rounds, ${JSON.stringify(sums)}\n`);
    for (const problem of finding.problems.slice(0, mostPrinted)) process.stderr.write(`${name}: ${problem}\n`);
  }
  if (first === 0) return;
  problemCount += problems;
  const figures = [first, ...columns.map((column) => sums[column]), problems];
  process.stdout.write(`| ${[name, ...figures.map((figure) => figure.toLocaleString("en-US"))].join(" | ")} |\n`);
}

process.stdout.write(`| rounds of | rounds | ${columns.join(" | ")} | contradictions |\n`);
process.stdout.write(`|---|${"---|".repeat(columns.length + 2)}\n`);

await run("one process, killed", Number(values.one), async (_, count) => {
  await using block = new Block();
  await killOneProcess(block, count);
  return await block.finish();
});
await run("two processes, one or both killed", Number(values.two), async (_, count, isLast) => {
  await using block = new Block();
  await killOfTwoProcesses(block, count, isLast);
  return await block.finish();
});
if (!noPostgres && Number(values.postgres) > 0) {
  await using server = await startPostgres();
  await run("PostgreSQL stopped, killed, cut off", Number(values.postgres), (first, count, isLast) =>
    disturbPostgres(server, first, count, isLast),
  );
}
process.exitCode = problemCount > 0 ? 1 : 0;
