import { describe, expect, it } from "vitest";
import { noPostgres, startPostgres } from "../support/postgres.ts";
import { Block } from "./kills/block.ts";
import type { Finding } from "./kills/check.ts";
import { disturbPostgres, faults } from "./kills/postgres.ts";
import { killOfTwoProcesses, killOneProcess } from "./kills/processes.ts";

/** Each test starts three or four processes, one after the other. */
const timeoutMs = 600_000;

/** So long that clients have seen the end of some calls. */
const manyMoments = () => 200 + Math.floor(Math.random() * 200);

function expectPromise(finding: Finding): void {
  expect(finding).toMatchObject({ missing: 0, doubled: 0, problems: [] });
  expect(finding.acknowledged).toBeGreaterThan(0);
}

// `npm run kills` makes hundreds of rounds.
describe("has every call whose end a client saw exactly once, with its usage, after kill -9", () => {
  it(
    "of a process under load",
    async () => {
      await using block = new Block();
      await killOneProcess(block, 1, manyMoments);
      expectPromise(await block.finish());
    },
    timeoutMs,
  );

  it(
    "of one of two processes that share an outbox and a database",
    async () => {
      await using block = new Block();
      await killOfTwoProcesses(block, 1, false, manyMoments);
      expectPromise(await block.finish());
    },
    timeoutMs,
  );

  it.skipIf(noPostgres)(
    "of a process whose commit in PostgreSQL got no answer",
    async () => {
      await using server = await startPostgres();
      const fault = faults.findIndex(({ name }) => name === "cut after commit");
      // The process is killed in the second pass through the faults.
      expectPromise(await disturbPostgres(server, faults.length + fault, 1, false));
    },
    timeoutMs,
  );
});
