import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, it, onTestFinished } from "vitest";
import { mark, openOutbox, openShipper, record, temporaryFolder } from "./harness.ts";
import { IdTable } from "./id-table.ts";

/** Rounds of two processes that are killed. `LEDGER_KILLS=100` makes 100. */
const rounds = Number(process.env.LEDGER_KILLS ?? 3);

function start(file: string, parameters: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, [join(import.meta.dirname, file), ...parameters], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

/** Kills a writing process after a number of lines. Returns all lines that it has written. */
async function killAfter(child: ChildProcess, count: number): Promise<readonly string[]> {
  if (child.stdout === null) throw new Error("standard output is a pipe");
  const lines: string[] = [];
  const reader = createInterface({ input: child.stdout });
  reader.on("line", (line) => {
    lines.push(line);
    if (lines.length === count) child.kill("SIGKILL");
  });
  await once(reader, "close");
  return lines;
}

it(`has each call of two killed processes exactly once (${rounds} rounds)`, async () => {
  const outbox = temporaryFolder();
  const table = join(temporaryFolder(), "ids.db");
  let acknowledged = 0;
  let lost = 0;
  for (let round = 0; round < rounds; round++) {
    const names = ["a", "b"].map((name) => `${name}${round}`);
    const written = await Promise.all(
      names.map((name) =>
        killAfter(start("writing-process.ts", [outbox, table, name]), 1 + Math.floor(Math.random() * 8_000)),
      ),
    );
    const ids = new IdTable(table);
    const shipper = openShipper(outbox, [ids]);
    shipper.adopt();
    expect(await shipper.shipAll()).toBe(true);
    await shipper.stop();
    expect(readdirSync(outbox)).toEqual([]);
    const { outcomes } = ids;
    for (const line of written.flat()) {
      const [kind, id = ""] = line.split(" ");
      if (kind === "settled") expect(outcomes.get(id), id).toBe("OK");
      else expect([kind, outcomes.has(id)], line).toEqual(["begun", true]);
      acknowledged++;
    }
    lost = [...outcomes.values()].filter((outcome) => outcome === "LOST").length;
    await ids.close();
  }
  process.stdout.write(`${rounds} rounds: ${acknowledged} acknowledged frames, none missing; ${lost} calls lost\n`);
}, 600_000);

it("gives each abandoned folder to exactly one of three processes", async () => {
  const outbox = temporaryFolder();
  const table = join(temporaryFolder(), "ids.db");
  for (let folder = 0; folder < 12; folder++) {
    const { writer, abandon } = openOutbox(outbox);
    for (let call = 0; call < 20; call++) await writer.settle(record(`${folder}-${call}`));
    await writer.begin(mark(`${folder}-lost`));
    await writer.close();
    abandon();
  }
  const children = [1, 2, 3].map(() => start("adopting-process.ts", [outbox, table]));
  const outputs = children.map(({ stdout }) => {
    if (stdout === null) throw new Error("standard output is a pipe");
    return createInterface({ input: stdout })[Symbol.asyncIterator]();
  });
  for (const output of outputs) expect((await output.next()).value).toBe("ready");
  for (const { stdin } of children) stdin?.write("go\n");
  const stored = await Promise.all(outputs.map(async (output) => Number((await output.next()).value)));
  expect(stored.reduce((sum, count) => sum + count, 0)).toBe(12 * 21);
  const ids = new IdTable(table);
  expect([...ids.outcomes.values()].filter((outcome) => outcome === "LOST")).toHaveLength(12);
  expect(ids.outcomes.size).toBe(12 * 21);
  expect(readdirSync(outbox)).toEqual([]);
  await ids.close();
}, 60_000);
