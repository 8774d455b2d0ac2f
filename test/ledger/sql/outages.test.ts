import { once } from "node:events";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { sql } from "kysely";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { DatabaseAddress } from "../../../src/database/address.ts";
import type { Database } from "../../../src/database/database.ts";
import type { CallRecord } from "../../../src/gen/dragoman/admin/v1/call_record_pb.js";
import type { RecordSink } from "../../../src/ledger/record-sink.ts";
import { createDatabaseSink } from "../../../src/ledger/sql/database-sink.ts";
import { startCuttingRelay } from "../../support/cutting-relay.ts";
import { connectDatabase, describeDatabases, testFolder } from "../../support/databases.ts";
import { noPostgres, startPostgres, type TestPostgres } from "../../support/postgres.ts";
import { runNode } from "../../support/run-node.ts";
import { mountSmallDisk, noSmallDisk } from "../../support/small-disk.ts";
import { storedIds, usageTotals } from "./ledger.ts";
import { numberedRecord } from "./records.ts";

const recordsOf = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => numberedRecord(from + index));

/** Expects the records with the numbers up to `count` exactly once, in both tables. */
async function expectStored(database: Database, count: number): Promise<void> {
  expect(await storedIds(database)).toEqual(recordsOf(0, count).map(({ id }) => id));
  const total = BigInt((count * (count - 1)) / 2);
  expect(await usageTotals(database)).toMatchObject({ calls: BigInt(count), input_tokens: total, cost_nanos: total });
}

const isStored = (sink: RecordSink, records: readonly CallRecord[]): Promise<boolean> =>
  sink.store(records).then(
    () => true,
    () => false,
  );

const shipScript = new URL("ship.ts", import.meta.url);

function ship(address: DatabaseAddress, count: number, step: number) {
  return runNode(shipScript, [JSON.stringify(address), String(count), String(step)]);
}

describeDatabases("several processes", (databases) => {
  it("ship the same records in different orders, and each counts once", async () => {
    const address = await databases.address();
    const processes = [1, 7, 11].map((step) => ship(address, 500, step));
    for (const { ended } of processes) expect(await ended).toMatchObject({ code: 0, stderr: "" });
    await expectStored(await databases.connect(address), 500);
  }, 60_000);

  it("are killed at any moment, and each record counts once when it is shipped again", async () => {
    const address = await databases.address();
    for (let round = 0; round < 3; round++) {
      const { child, ended } = ship(address, 500, 7);
      if (child.stdout === null) throw new Error("the output is a pipe");
      const lines = createInterface({ input: child.stdout });
      // A line is printed when a transaction has ended. The next one is then about to begin, or has begun.
      for (let line = 0; line <= round; line++) await Promise.race([once(lines, "line"), once(child, "close")]);
      child.kill("SIGKILL");
      await ended;
    }
    expect(await ship(address, 500, 1).ended).toMatchObject({ code: 0, stderr: "" });
    await expectStored(await databases.connect(address), 500);
  }, 60_000);
});

describe.skipIf(noPostgres)("PostgreSQL", () => {
  let server: TestPostgres;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  async function admin(): Promise<Client> {
    const client = new Client({ connectionString: `postgres://dragoman@127.0.0.1:${server.port}/postgres` });
    client.on("error", () => {});
    await client.connect();
    onTestFinished(() => client.end().catch(() => {}));
    return client;
  }

  const endConnections = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'dragoman'";

  it("is stopped, killed, restarted and cut off while records are shipped, and each counts once", async () => {
    const url = new URL(await server.createDatabase());
    await using relay = await startCuttingRelay(server.port);
    url.port = String(relay.port);
    const database = connectDatabase({ kind: "postgres", url: url.href });
    const sink = createDatabaseSink(database);
    const faults: readonly (() => unknown)[] = [
      () => relay.cut(),
      () => server.stop().then(() => server.start()),
      () => server.kill().then(() => server.start()),
      async () => (await admin()).query(endConnections),
      ...["begin", 'insert into "call"', 'insert into "usage_day"', "commit"].flatMap((text) => [
        () => relay.cutBefore(text),
        () => relay.cutAfter(text),
      ]),
    ];
    let failures = 0;
    for (let round = 0; round < 3 * faults.length; round++) {
      const batch = recordsOf(round * 40, (round + 1) * 40);
      const fault = faults[round % faults.length]?.();
      while (!(await isStored(sink, batch))) {
        failures++;
        // The fault may last until the server has started again.
        await fault;
      }
      await fault;
    }
    expect(failures).toBeGreaterThanOrEqual(2 * faults.length);
    await expectStored(database, 3 * faults.length * 40);
  }, 60_000);

  it("has stored the records although the answer to the commit was lost, and they count once", async () => {
    const url = new URL(await server.createDatabase());
    await using relay = await startCuttingRelay(server.port);
    const direct = connectDatabase({ kind: "postgres", url: url.href });
    url.port = String(relay.port);
    const sink = createDatabaseSink(connectDatabase({ kind: "postgres", url: url.href }));
    const records = recordsOf(0, 10);
    await sink.store(records.slice(0, 1));
    relay.cutAfter("commit");
    await expect(sink.store(records)).rejects.toThrow();
    expect(await storedIds(direct)).toHaveLength(10);
    await sink.store(records);
    await expectStored(direct, 10);
  });

  it("has stored nothing if the connection ends between the statements of a transaction", async () => {
    const url = new URL(await server.createDatabase());
    await using relay = await startCuttingRelay(server.port);
    const direct = connectDatabase({ kind: "postgres", url: url.href });
    url.port = String(relay.port);
    const sink = createDatabaseSink(connectDatabase({ kind: "postgres", url: url.href }));
    await sink.store(recordsOf(0, 1));
    relay.cutBefore('insert into "usage_hour"');
    await expect(sink.store(recordsOf(1, 10))).rejects.toThrow();
    await expectStored(direct, 1);
    await sink.store(recordsOf(1, 10));
    await expectStored(direct, 10);
  });

  it("rejects records while it is read-only, or cancels a statement, and takes them afterwards", async () => {
    const url = await server.createDatabase();
    const name = new URL(url).pathname.slice(1);
    const database = connectDatabase({ kind: "postgres", url });
    const sink = createDatabaseSink(database);
    const client = await admin();
    await sink.store(recordsOf(0, 5));
    await client.query(`alter database ${name} set default_transaction_read_only = on`);
    // The setting is for new connections.
    await database.close();
    await expect(sink.store(recordsOf(5, 10))).rejects.toThrow("read-only transaction");
    await client.query(`alter database ${name} set default_transaction_read_only = off`);
    await database.close();
    await sink.store(recordsOf(5, 10));

    const locker = new Client({ connectionString: url });
    await locker.connect();
    await locker.query("begin; lock table call in access exclusive mode");
    const storing = sink.store(recordsOf(10, 15));
    const isRejected = expect(storing).rejects.toThrow("canceling statement");
    const cancel =
      "select pg_cancel_backend(pid) from pg_stat_activity where application_name = 'dragoman' and wait_event_type = 'Lock'";
    while ((await client.query(cancel)).rowCount === 0);
    await isRejected;
    await locker.end();
    await sink.store(recordsOf(10, 15));
    await expectStored(database, 15);
  });

  it("makes the partition again that another process has removed", async () => {
    const database = connectDatabase({ kind: "postgres", url: await server.createDatabase() });
    const sink = createDatabaseSink(database);
    await sink.store(recordsOf(0, 1));
    const kysely = await database.open();
    await sql`drop table call_20261120`.execute(kysely);
    await sql`delete from usage_hour`.execute(kysely);
    await sql`delete from usage_day`.execute(kysely);
    await expect(sink.store(recordsOf(0, 2))).rejects.toThrow("no partition");
    await sink.store(recordsOf(0, 2));
    await expectStored(database, 2);
  });

  it.skipIf(noSmallDisk)("rejects records while its disk is full, and takes them afterwards", async () => {
    using disk = mountSmallDisk(24 * 2 ** 20);
    const client = await admin();
    await client.query(`create tablespace small location '${disk.path}'`);
    await client.query("create database small tablespace small");
    const database = connectDatabase({
      kind: "postgres",
      url: `postgres://dragoman@127.0.0.1:${server.port}/small`,
    });
    const sink = createDatabaseSink(database);
    await sink.store(recordsOf(0, 5));
    const filler = join(disk.path, "filler");
    expect(() => writeFileSync(filler, Buffer.alloc(24 * 2 ** 20))).toThrow("ENOSPC");
    await expect(sink.store(recordsOf(5, 1505))).rejects.toThrow("No space left on device");
    rmSync(filler);
    await sink.store(recordsOf(5, 1505));
    await expectStored(database, 1505);
    await database.close();
    await client.query("drop database small");
    await client.query("drop tablespace small");
  });
});

describe("a file", () => {
  it.skipIf(noSmallDisk)("rejects records while its disk is full, and takes them afterwards", async () => {
    using disk = mountSmallDisk(4 * 2 ** 20);
    const database = connectDatabase({ kind: "sqlite", path: join(disk.path, "ledger.db") });
    const sink = createDatabaseSink(database);
    await sink.store(recordsOf(0, 500));
    const filler = join(disk.path, "filler");
    expect(() => writeFileSync(filler, Buffer.alloc(4 * 2 ** 20))).toThrow("ENOSPC");
    await expect(sink.store(recordsOf(500, 1500))).rejects.toThrow(/disk is full|disk I\/O error/);
    rmSync(filler);
    await sink.store(recordsOf(500, 1500));
    await expectStored(database, 1500);
    await database.close();
  });

  it("rejects records while another process holds its lock, and takes them afterwards", async () => {
    const path = join(testFolder(), "ledger.db");
    const database = connectDatabase({ kind: "sqlite", path });
    const sink = createDatabaseSink(database);
    await sink.store(recordsOf(0, 5));
    const other = new DatabaseSync(path);
    other.exec("begin immediate");
    // It waits 5 s.
    await expect(sink.store(recordsOf(5, 10))).rejects.toThrow("database is locked");
    other.exec("rollback");
    other.close();
    await sink.store(recordsOf(5, 10));
    await expectStored(database, 10);
  });
});
