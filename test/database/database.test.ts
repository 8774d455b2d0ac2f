import { statSync } from "node:fs";
import { sql } from "kysely";
import { Client } from "pg";
import { describe, expect, it } from "vitest";
import { createDatabase } from "../../src/database/database.ts";
import { migrations } from "../../src/database/migrations/index.ts";
import { connectDatabase, describeDatabases, testFolder } from "../support/databases.ts";
import { noPostgres, startPostgres } from "../support/postgres.ts";
import { runNode } from "../support/run-node.ts";

const openScript = new URL("open.ts", import.meta.url);

describeDatabases("a database", (databases) => {
  it("gets its tables from one of three processes that open it at the same time, without a warning", async () => {
    const address = await databases.address();
    const processes = [1, 2, 3].map(() => runNode(openScript, [JSON.stringify(address)]));
    const stdout = Object.keys(migrations(address.kind)).join();
    for (const { ended } of processes) expect(await ended).toEqual({ code: 0, stdout, stderr: "" });
  });

  it("refuses a database of a newer version, and says what to do", async () => {
    const database = await databases.connect();
    await sql`insert into migration (name, timestamp) values ('9999_future', '2030-01-01T00:00:00.000Z')`.execute(
      await database.open(),
    );
    await database.close();
    await expect(database.open()).rejects.toThrow(
      "the database has the tables of a newer version of Dragoman (9999_future); start that version, or name another database",
    );
  });

  it("opens once for all that use it, and again after it was closed", async () => {
    const database = await databases.connect();
    const [one, other] = await Promise.all([database.open(), database.open()]);
    expect(one).toBe(other);
    await database.close();
    const { rows } = await sql`select * from call`.execute(await database.open());
    expect(rows).toEqual([]);
  });
});

describe("a database in a file", () => {
  it("creates the folder of the file", async () => {
    const path = `${testFolder()}/a/b/ledger.db`;
    await connectDatabase({ kind: "sqlite", path }).open();
    expect(statSync(path).size).toBeGreaterThan(0);
  });

  it("rolls back a transaction that fails, and goes on", async () => {
    const kysely = await connectDatabase({ kind: "sqlite", path: `${testFolder()}/ledger.db` }).open();
    const failing = kysely.transaction().execute(async (transaction) => {
      await sql`create table other (a integer not null) strict`.execute(transaction);
      await sql`insert into other values (null)`.execute(transaction);
    });
    await expect(failing).rejects.toThrow("NOT NULL");
    const { rows } = await sql`select name from sqlite_master where name = 'other'`.execute(kysely);
    expect(rows).toEqual([]);
  });
});

describe.skipIf(noPostgres)("a database of a server that is away", () => {
  it("is opened when the server is there again", async () => {
    await using server = await startPostgres();
    const database = createDatabase({ kind: "postgres", url: await server.createDatabase() });
    await server.stop();
    await expect(database.open()).rejects.toThrow("ECONNREFUSED");
    await server.start();
    const kysely = await database.open();
    await server.kill();
    await server.start();
    await expect(sql`select 1`.execute(kysely)).resolves.toBeDefined();
    await database.close();
  });
});

describe.skipIf(noPostgres)("a database in another encoding than UTF8", () => {
  it("is refused, with what to do, since it would reject some records", async () => {
    await using server = await startPostgres();
    const url = await server.createDatabase();
    const client = new Client({ connectionString: url });
    await client.connect();
    await client.query("create database latin encoding 'LATIN1' template template0 lc_collate 'C' lc_ctype 'C'");
    await client.end();
    const database = connectDatabase({ kind: "postgres", url: url.replace(/[^/]+$/, "latin") });
    await expect(database.open()).rejects.toThrow(
      "the database has the encoding LATIN1; create one with `encoding 'UTF8'`, or name another database",
    );
  });
});
