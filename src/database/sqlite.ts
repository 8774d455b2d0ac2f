import { dirname } from "node:path";
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type SqliteDatabase,
  SqliteDialect,
  SqliteDriver,
  type SqliteStatement,
} from "kysely";
import { makeFolder } from "../make-folder.ts";
import { nodeSqlite } from "./node-sqlite.ts";

/** Time that a statement waits for another process's transaction. The thread is blocked for that time. */
const busyTimeoutMs = 5000;

/** Maximum number of prepared statements. The code has about thirty different ones. */
const maxStatements = 100;

/**
 * Opens a file for kysely, and creates it and its folder if they do not exist. Several processes can share the file.
 * Integers are `bigint`.
 *
 * `synchronous=FULL` makes a transaction survive a power cut: the outbox deletes records once the database has them.
 */
export function sqliteDialect(path: string): Dialect {
  makeFolder(dirname(path));
  const database = open(path);
  const shared = withStatements(database);
  return new (class extends SqliteDialect {
    override createDriver = () => new ImmediateDriver(shared, database);
  })({ database: shared });
}

function open(path: string): DatabaseSync {
  const { DatabaseSync } = nodeSqlite();
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: busyTimeoutMs });
    database.exec("pragma journal_mode = wal; pragma synchronous = full; pragma journal_size_limit = 67108864");
    return database;
  } catch (error) {
    database?.close();
    const reason = error instanceof Error ? error.message : String(error);
    throw Object.assign(new Error(`cannot open ${path} (store.database): ${reason}`, { cause: error }), codeOf(error));
  }
}

function codeOf(error: unknown): { readonly code?: unknown } {
  return error instanceof Error && "code" in error ? { code: error.code } : {};
}

/** Begins transactions as writers: one that begins as a reader fails at its first write if another process wrote. */
class ImmediateDriver extends SqliteDriver {
  readonly #database: DatabaseSync;

  constructor(shared: SqliteDatabase, database: DatabaseSync) {
    super({ database: shared });
    this.#database = database;
  }

  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw("begin immediate"));
  }

  /** SQLite itself rolls back if the disk is full, for example. */
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#database.isTransaction) await super.rollbackTransaction(connection);
  }
}

/** The interface that kysely expects, which is that of better-sqlite3. Keeps prepared statements. */
function withStatements(database: DatabaseSync): SqliteDatabase {
  const statements = new Map<string, SqliteStatement>();
  return {
    close: () => database.close(),
    prepare(sql) {
      const kept = statements.get(sql);
      if (kept !== undefined) return kept;
      if (statements.size >= maxStatements) statements.clear();
      const statement = adapt(database.prepare(sql));
      statements.set(sql, statement);
      return statement;
    },
  };
}

function adapt(statement: StatementSync): SqliteStatement {
  statement.setReadBigInts(true);
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => statement.all(...(parameters as SQLInputValue[])),
    run: (parameters) => statement.run(...(parameters as SQLInputValue[])),
    iterate: (parameters) => statement.iterate(...(parameters as SQLInputValue[])),
  };
}
