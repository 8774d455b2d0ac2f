/**
 * `npm run bench -- --database`: how fast the ledger's database takes records and answers questions.
 *
 *   --records n      number of records, over 30 days. Default 1,000,000, which take some minutes
 *   --only kind      sqlite or postgres. Default: both
 *
 * PostgreSQL must be installed. It runs with its default settings, so that each commit waits for the disk.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Kysely, sql } from "kysely";
import type { DatabaseAddress, DatabaseKind } from "../../src/database/address.ts";
import { createDatabase, type Database } from "../../src/database/database.ts";
import { createDatabaseSink } from "../../src/ledger/sql/database-sink.ts";
import { createUsageReader } from "../../src/ledger/sql/reader.ts";
import type { UsageQuery } from "../../src/ledger/usage-reader.ts";
import { noPostgres, startPostgres } from "../../test/support/postgres.ts";
import { describeMachine } from "../report.ts";
import { quantile, summarize } from "../statistics.ts";
import { plausibleRecord } from "./records.ts";

const { values: options } = parseArgs({
  options: { database: { type: "boolean" }, records: { type: "string" }, only: { type: "string" } },
});
const count = Number(options.records ?? 1_000_000);
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const endMs = Math.ceil(Date.now() / hourMs) * hourMs;
const days = 30;
const batchSize = 500;
const runs = 20;

/** Stores the records in the order of their time, and prints the speed. */
async function fill(database: Database): Promise<void> {
  const sink = createDatabaseSink(database);
  let [elapsedMs, cpuMicros] = [0, 0];
  for (let begin = 0; begin < count; begin += batchSize) {
    const batch = Array.from({ length: Math.min(batchSize, count - begin) }, (_, index) =>
      plausibleRecord(Math.floor(endMs - days * dayMs + ((begin + index) / count) * days * dayMs)),
    );
    const [time, cpu] = [performance.now(), process.cpuUsage()];
    await sink.store(batch);
    elapsedMs += performance.now() - time;
    const { user, system } = process.cpuUsage(cpu);
    cpuMicros += user + system;
  }
  const perRow = `${(cpuMicros / count).toFixed(1)} µs of CPU time of this process per row`;
  console.log(`  stored ${count} records: ${Math.round((count / elapsedMs) * 1000)} rows/s, ${perRow}`);
}

/** Prints how long a question takes, and the CPU time of this process, which includes SQLite, but not PostgreSQL. */
async function ask(question: string, read: () => Promise<unknown>): Promise<void> {
  await read();
  const [times, cpuTimes]: [number[], number[]] = [[], []];
  for (let run = 0; run < runs; run++) {
    const [begin, cpu] = [performance.now(), process.cpuUsage()];
    await read();
    times.push(performance.now() - begin);
    const { user, system } = process.cpuUsage(cpu);
    cpuTimes.push((user + system) / 1000);
  }
  const show = (ms: number) => `${ms.toFixed(1).padStart(7)} ms`;
  const { median, max } = summarize(times);
  console.log(
    `  ${question.padEnd(52)} p50 ${show(median)}   max ${show(max)}   CPU p50 ${show(quantile(cpuTimes, 0.5))}`,
  );
}

async function askAll(database: Database): Promise<void> {
  const reader = createUsageReader(database);
  const all = { calls: "all" } as const;
  const usage = (query: Partial<UsageQuery>) => () =>
    reader.queryUsage(
      {
        startMs: endMs - 7 * dayMs,
        endMs,
        groupBy: [],
        labelKey: "",
        interval: "range",
        filter: {},
        limit: 1000,
        ...query,
      },
      all,
    );
  const [, second] = await reader.listCalls({ limit: 2, account: "account-7" }, all);
  const id = second?.id ?? "";
  const account = { account: "account-7" };
  const month = endMs - 30 * dayMs;
  await ask("last 7 days by account and model", usage({ groupBy: ["account", "model"] }));
  await ask("a month by day for one account", usage({ startMs: month, interval: "day", filter: account }));
  await ask("a month by account", usage({ startMs: month, groupBy: ["account"] }));
  await ask("the last day by hour and model", usage({ startMs: endMs - dayMs, interval: "hour", groupBy: ["model"] }));
  await ask("7 days of one account by a label", usage({ groupBy: ["label"], labelKey: "team", filter: account }));
  await ask("the newest 50 calls", () => reader.listCalls({ limit: 50 }, all));
  await ask("the newest 50 calls of an account", () => reader.listCalls({ limit: 50, ...account }, all));
  const scope = { calls: "of accounts", accounts: ["account-7", "account-40", "account-49"] } as const;
  await ask("the newest 50 calls of a caller with three accounts", () => reader.listCalls({ limit: 50 }, scope));
  await ask("the newest 50 calls that failed", () => reader.listCalls({ limit: 50, outcome: 2 }, all));
  await ask("one call", () => reader.getCall(id, all));
  await ask("calls by x-request-id", () => reader.listCalls({ limit: 50, requestId: id }, all));
}

/** Collects the statistics that the planner needs. On PostgreSQL by table, since a statement may take 30 s. */
async function analyze(kysely: Kysely<object>, kind: DatabaseKind): Promise<void> {
  if (kind === "sqlite") return void (await sql`analyze`.execute(kysely));
  const { rows } = await sql<{ name: string }>`select relname as name from pg_class
    where relkind = 'r' and relname ~ '^(call|usage)_'`.execute(kysely);
  for (const { name } of rows) await sql`analyze ${sql.table(name)}`.execute(kysely);
}

async function measure(address: DatabaseAddress): Promise<void> {
  console.log(`\n${address.kind}`);
  const database = createDatabase(address);
  await fill(database);
  const kysely = await database.open();
  await analyze(kysely, address.kind);
  const { rows } = await sql<{ hours: bigint }>`select count(*) as hours from usage_hour`.execute(kysely);
  console.log(`  usage_hour has ${rows[0]?.hours} rows`);
  await askAll(database);
  await database.close();
}

const { processors, processor, node } = describeMachine();
console.log(`${processors} × ${processor}, Node ${node}. ${runs} runs of each question.`);
if (options.only !== "postgres") {
  const folder = mkdtempSync(join(tmpdir(), "dragoman-bench-"));
  await measure({ kind: "sqlite", path: join(folder, "ledger.db") });
  rmSync(folder, { recursive: true });
}
if (options.only !== "sqlite" && !noPostgres) {
  await using server = await startPostgres({ fsync: "on" });
  await measure({ kind: "postgres", url: await server.createDatabase() });
}
