import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { createDatabase } from "../../../src/database/database.ts";
import { CallOutcome } from "../../../src/gen/dragoman/admin/v1/call_record_pb.js";
import { createDatabaseSink } from "../../../src/ledger/sql/database-sink.ts";
import { temporaryFolder } from "../../config/harness.ts";
import { callRecord } from "../../support/ledger-in-memory.ts";

const main = new URL("../../../src/main.ts", import.meta.url).pathname;

interface Ended {
  readonly status: number | null;
  readonly output: string;
  readonly error: string;
}

/** Runs the program as an operator does. */
async function run(file: string, ...parameters: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, [main, "usage", "--config", file, ...parameters], {
    env: { PATH: process.env.PATH },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const status = new Promise<number | null>((resolve) => child.once("close", resolve));
  const [output, error] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { status: await status, output, error };
}

function writeStore(database: string, folder = temporaryFolder()): string {
  const file = join(folder, "dragoman.yaml");
  writeFileSync(file, `store: { database: "${database}", outbox: outbox }\n`);
  return file;
}

/** Writes a ledger beside its configuration, and returns the path of the latter. */
async function writeLedger(): Promise<string> {
  const folder = temporaryFolder();
  const database = createDatabase({ kind: "sqlite", path: join(folder, "ledger.db") });
  const labels = { feature: "find" };
  await createDatabaseSink(database).store([
    callRecord("2026-11-01T10:00:00Z", "chatcmpl-01a", { account: "billing", model: "openai/a", provider: "openai" }),
    callRecord("2026-11-01T10:59:59Z", "chatcmpl-01b", { account: "billing", model: "openai/b", provider: "openai" }),
    callRecord("2026-11-01T11:00:00Z", "chatcmpl-01c", {
      account: "search",
      model: "openai/a",
      provider: "openai",
      labels,
    }),
    callRecord("2026-11-02T09:00:00Z", "chatcmpl-01d", {
      account: "search",
      model: "openai/a",
      provider: "openai",
      labels,
      outcome: CallOutcome.FAILED,
    }),
  ]);
  await database.close();
  return writeStore("sqlite:ledger.db", folder);
}

const november = ["--since", "2026-11-01", "--until", "2026-12-01"];

describe("dragoman usage", () => {
  it("prints a table of accounts and models", async () => {
    expect(await run(await writeLedger(), ...november)).toEqual({
      status: 0,
      error: "",
      output: `Usage from 2026-11-01 00:00 to 2026-12-01 00:00 UTC

account  model     calls  failed  input  cached  output       cost
search   openai/a      2       1     20       0      10  $0.000002
billing  openai/a      1       0     10       0       5  $0.000001
billing  openai/b      1       0     10       0       5  $0.000001
------------------------------------------------------------------
total                  4       1     40       0      20  $0.000004
`,
    });
  });

  it("prints steps of time, labels and filtered calls, as JSON or CSV", async () => {
    const file = await writeLedger();
    const [days, labels] = await Promise.all([
      run(file, ...november, "--interval", "day", "--account", "search", "--json"),
      run(file, ...november, "--by", "label:feature", "--csv"),
    ]);
    const rows = days.output
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(rows).toMatchObject([
      { start_time: "2026-11-01T00:00:00Z", calls: 1, failed_calls: 0, cost_usd: "0.000001" },
      { start_time: "2026-11-02T00:00:00Z", calls: 1, failed_calls: 1, cost_usd: "0.000001" },
    ]);
    expect(labels.output.split("\r\n").slice(1)).toEqual([
      "2026-11-01T00:00:00Z,,2,0,20,0,10,0.000002,0",
      "2026-11-01T00:00:00Z,find,2,1,20,0,10,0.000002,0",
      "",
    ]);
  });

  it("says that there were no calls", async () => {
    const { status, output } = await run(await writeLedger(), "--since", "2026-12-01", "--until", "2026-12-02");
    expect([status, output]).toEqual([0, "No calls from 2026-12-01 00:00 to 2026-12-02 00:00 UTC.\n"]);
  });

  it.each([
    [["--json", "--csv"], "--json and --csv cannot be combined"],
    [["--interval", "week"], "--interval is no step of time; write one of hour, day, month"],
    [["--by", "accont"], '--by cannot group by "accont"; did you mean account?'],
    [["--last", "7"], "--last is no span of time; write hours, days or weeks, such as 24h, 7d or 4w"],
  ])("rejects %j with 2, before it reads anything", async (parameters, message) => {
    const ended = await run("/no/such/file.yaml", ...parameters);
    expect([ended.status, ended.output]).toEqual([2, ""]);
    const isJson = parameters.includes("--json");
    expect(isJson ? JSON.parse(ended.error).error.message : ended.error).toBe(
      isJson ? message : `dragoman: ${message}\n`,
    );
  });

  it("exits with 1 and the reason if there is no ledger, or it cannot be read", async () => {
    const folder = temporaryFolder();
    expect(await run(writeStore("sqlite:missing.db", folder))).toEqual({
      ...{ status: 1, output: "" },
      error: `dragoman: there is no ledger yet: the file ${join(folder, "missing.db")} does not exist; start the service, or name the service's configuration with --config\n`,
    });
    const other = temporaryFolder();
    writeFileSync(join(other, "ledger.db"), `SQLite format 3\0${"and then no database ".repeat(40)}`);
    expect(await run(writeStore("sqlite:ledger.db", other))).toEqual({
      ...{ status: 1, output: "" },
      error: `dragoman: cannot read the ledger in sqlite:${join(other, "ledger.db")}: file is not a database\n`,
    });
    expect(await run(writeStore("postgres://user:secret@127.0.0.1:9/ledger"))).toEqual({
      ...{ status: 1, output: "" },
      error: "dragoman: cannot read the ledger in postgres://127.0.0.1:9/ledger: connect ECONNREFUSED 127.0.0.1:9\n",
    });
  });
});
