import { statSync } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import type { Database } from "../../../src/database/database.ts";
import { createDatabaseSink } from "../../../src/ledger/sql/database-sink.ts";
import { keepMaintained, maintainLedger } from "../../../src/ledger/sql/retention.ts";
import { connectDatabase, describeDatabases, testFolder } from "../../support/databases.ts";
import { storedIds, totalsOf, usageTotals } from "./ledger.ts";
import { testRecord, testStartMs } from "./records.ts";

const dayMs = 86_400_000;
const nowMs = testStartMs + dayMs / 2;
const month = { callsMs: 30 * dayMs, hoursMs: 400 * dayMs };

async function partitionsOf(database: Database): Promise<readonly string[]> {
  const { rows } = await sql<{ name: string }>`select inhrelid::regclass::text as name from pg_inherits
    where inhparent = 'call'::regclass order by 1`.execute(await database.open());
  return rows.map(({ name }) => name);
}

describeDatabases("retention", (databases) => {
  it("removes calls of 30 days ago, and keeps their sums until they are 400 days old", async () => {
    const database = await databases.connect();
    const ages = [0, 29, 31.6, 399, 401, 500];
    const records = ages.map((days) => testRecord({ startMs: nowMs - days * dayMs }));
    await createDatabaseSink(database).store(records);
    await maintainLedger(database, month, nowMs);
    const kept = records.slice(0, 2).map(({ id }) => id);
    expect(await storedIds(database)).toEqual(kept.sort());
    expect((await usageTotals(database)).calls).toBe(4n);
    // The hours of a day are removed one by one, and the day at its end.
    await maintainLedger(database, { ...month, hoursMs: 399 * dayMs }, nowMs + dayMs / 24);
    expect((await totalsOf(database, "usage_hour")).calls).toBe(3n);
    expect((await totalsOf(database, "usage_day")).calls).toBe(4n);
  });

  it("keeps everything with durations of 0", async () => {
    const database = await databases.connect();
    await createDatabaseSink(database).store([testRecord({ startMs: 0 })]);
    await maintainLedger(database, { callsMs: 0, hoursMs: 0 }, nowMs);
    expect(await storedIds(database)).toHaveLength(1);
    expect((await usageTotals(database)).calls).toBe(1n);
  });

  it("runs in several processes while records are stored, and removes nothing else", async () => {
    const address = await databases.address();
    const database = await databases.connect(address);
    // SQLite would block this thread: two connections of one thread are not two processes.
    const others = await Promise.all(
      address.kind === "postgres" ? [1, 2].map(() => databases.connect(address)) : [database, database],
    );
    const sink = createDatabaseSink(database);
    const old = Array.from({ length: 40 }, (_, day) => testRecord({ startMs: nowMs - (32 + day) * dayMs }));
    await sink.store(old);
    const recent = Array.from({ length: 2000 }, (_, index) => testRecord({ startMs: nowMs - index * 60_000 }));
    await Promise.all([sink.store(recent), ...others.map((other) => maintainLedger(other, month, nowMs))]);
    expect(await storedIds(database)).toEqual(recent.map(({ id }) => id).sort());
    expect((await usageTotals(database)).calls).toBe(2040n);
  });

  it("begins at once, reports errors, and ends", async () => {
    const database = await databases.connect();
    await createDatabaseSink(database).store([testRecord({ startMs: Date.now() - 40 * dayMs })]);
    const errors: unknown[] = [];
    const end = keepMaintained(database, month, (error) => errors.push(error));
    while ((await storedIds(database)).length > 0);
    await end();
    await sql`drop table usage_hour cascade`.execute(await database.open()).catch(() => {});
    await sql`drop table usage_hour`.execute(await database.open()).catch(() => {});
    const endAgain = keepMaintained(database, month, (error) => errors.push(error));
    while (errors.length === 0) await setImmediate();
    await endAgain();
    expect(errors).toMatchObject([{ message: expect.stringMatching(/usage_hour/) }]);
  });

  it("has partitions for the next days on PostgreSQL, and drops those that are too old", async () => {
    const database = await databases.connect();
    if (database.kind === "sqlite") return;
    await createDatabaseSink(database).store([31, 30].map((days) => testRecord({ startMs: nowMs - days * dayMs })));
    await maintainLedger(database, month, nowMs);
    const days = ["20261021", "20261120", "20261121", "20261122", "20261123"];
    expect(await partitionsOf(database)).toEqual(days.map((day) => `call_${day}`));
  });

  it("gives up on a partition that a query reads, and drops it the next time", async () => {
    const address = await databases.address();
    if (address.kind === "sqlite") return;
    const database = await databases.connect(address);
    await createDatabaseSink(database).store([testRecord({ startMs: nowMs - 40 * dayMs })]);
    const reader = await (await databases.connect(address)).open();
    await reader.transaction().execute(async (transaction) => {
      await sql`select * from call`.execute(transaction);
      await maintainLedger(database, month, nowMs);
      expect(await partitionsOf(database)).toContain("call_20261011");
    });
    await maintainLedger(database, month, nowMs);
    expect(await partitionsOf(database)).not.toContain("call_20261011");
  });
});

describe("a file", () => {
  it("uses the space of removed calls again", async () => {
    const path = join(testFolder(), "ledger.db");
    const database = connectDatabase({ kind: "sqlite", path });
    const sink = createDatabaseSink(database);
    const fill = async (startMs: number) => {
      await sink.store(Array.from({ length: 3000 }, (_, index) => testRecord({ startMs: startMs + index * 1000 })));
      await sql`pragma wal_checkpoint(truncate)`.execute(await database.open());
      return statSync(path).size;
    };
    const size = await fill(nowMs - 90 * dayMs);
    for (let days = 89; days > 85; days--) {
      await maintainLedger(database, month, nowMs - (days - 31) * dayMs);
      expect(await fill(nowMs - days * dayMs)).toBeLessThan(1.2 * size);
    }
  });
});
