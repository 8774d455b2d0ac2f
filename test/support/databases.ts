import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, onTestFinished } from "vitest";
import type { DatabaseAddress } from "../../src/database/address.ts";
import { createDatabase, type Database } from "../../src/database/database.ts";
import { noPostgres, startPostgres, type TestPostgres } from "./postgres.ts";

export interface TestDatabases {
  /** Returns the address of an empty database that ends with the test. */
  address(): Promise<DatabaseAddress>;
  /** Returns a connection to a database that ends with the test. Default: an empty database. */
  connect(address?: DatabaseAddress): Promise<Database>;
}

/** Runs the tests once on SQLite, and once on a real PostgreSQL, which is skipped where it is not installed. */
export function describeDatabases(name: string, tests: (databases: TestDatabases) => void): void {
  describe(`${name} (sqlite)`, () => {
    tests(databasesAt(async () => ({ kind: "sqlite", path: join(testFolder(), "data", "ledger.db") })));
  });
  describe.skipIf(noPostgres)(`${name} (postgres)`, () => {
    let server: TestPostgres;
    beforeAll(async () => {
      server = await startPostgres();
    });
    afterAll(() => server[Symbol.asyncDispose]());
    tests(databasesAt(async () => ({ kind: "postgres", url: await server.createDatabase() })));
  });
}

function databasesAt(address: () => Promise<DatabaseAddress>): TestDatabases {
  return { address, connect: async (given) => connectDatabase(given ?? (await address())) };
}

/** Returns a connection to a database that ends with the test. */
export function connectDatabase(address: DatabaseAddress): Database {
  const database = createDatabase(address);
  onTestFinished(() => database.close());
  return database;
}

/** Returns a folder that is removed after the test. */
export function testFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "dragoman-database-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
