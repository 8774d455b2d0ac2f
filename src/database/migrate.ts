import { type Kysely, sql } from "kysely";
import { type MigrationResultSet, Migrator } from "kysely/migration";
import type { DatabaseKind } from "./address.ts";
import { migrations } from "./migrations/index.ts";

const tables = { migrationTableName: "migration", migrationLockTableName: "migration_lock" };

/**
 * Creates or changes tables until they are those of this program. Several processes can do so at once: one of them
 * does, and the others wait. Rejects if a newer version of the program has changed the tables, or if
 * the database cannot store every text.
 */
export async function migrate(kysely: Kysely<object>, kind: DatabaseKind): Promise<void> {
  if (kind === "postgres") await requireUtf8(kysely);
  const run = (connection: Kysely<object>): Promise<MigrationResultSet> => {
    const provider = { getMigrations: async () => migrations(kind) };
    return new Migrator({ db: connection, provider, ...tables }).migrateToLatest();
  };
  // On PostgreSQL, kysely holds a lock. On SQLite, a transaction is the lock.
  const { error } = kind === "postgres" ? await run(kysely) : await inTransaction(kysely, run);
  if (error !== undefined) throw (await newerVersion(kysely, kind)) ?? error;
}

/** In another encoding, PostgreSQL rejects records one by one, as soon as they have a character that it lacks. */
async function requireUtf8(kysely: Kysely<object>): Promise<void> {
  const { rows } = await sql<{ server_encoding: string }>`show server_encoding`.execute(kysely);
  const [{ server_encoding: encoding } = { server_encoding: "" }] = rows;
  if (encoding === "UTF8") return;
  throw new Error(
    `the database has the encoding ${encoding}; create one with \`encoding 'UTF8'\`, or name another database`,
  );
}

/** Kysely's own transactions do not allow migrations on SQLite. */
function inTransaction(kysely: Kysely<object>, run: (connection: Kysely<object>) => Promise<MigrationResultSet>) {
  return kysely.connection().execute(async (connection) => {
    await sql`begin immediate`.execute(connection);
    const result = await run(connection);
    await (result.error === undefined ? sql`commit` : sql`rollback`).execute(connection);
    return result;
  });
}

/** Returns the error if the database has a migration that this program does not know. */
async function newerVersion(kysely: Kysely<object>, kind: DatabaseKind): Promise<Error | undefined> {
  const known = migrations(kind);
  const done = await sql<{ name: string }>`select name from migration`.execute(kysely).catch(() => undefined);
  const unknown = done?.rows.find(({ name }) => !(name in known));
  if (unknown === undefined) return undefined;
  return new Error(
    `the database has the tables of a newer version of Dragoman (${unknown.name}); start that version, or name another database`,
  );
}
