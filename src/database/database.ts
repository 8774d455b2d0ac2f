import { type Dialect, Kysely } from "kysely";
import type { DatabaseAddress, DatabaseKind } from "./address.ts";
import { migrate } from "./migrate.ts";

/**
 * Database of the service. One code serves both kinds: rows have integers as `bigint`, times as ISO 8601 text in UTC
 * with milliseconds, and JSON as text.
 */
export interface Database {
  readonly kind: DatabaseKind;
  /**
   * Returns the open database with all tables. The first call opens it and creates or migrates the tables. Rejects if
   * the database is away; the next call then tries again.
   */
  open(): Promise<Kysely<object>>;
  /** Waits for running queries, then closes all connections. */
  close(): Promise<void>;
}

/** Returns the database at an address. Does not open it. */
export function createDatabase(address: DatabaseAddress): Database {
  const { kind } = address;
  let opening: Promise<Kysely<object>> | undefined;

  async function open(): Promise<Kysely<object>> {
    const kysely = new Kysely<object>({ dialect: await dialectOf(address) });
    try {
      await migrate(kysely, kind);
      return kysely;
    } catch (error) {
      await kysely.destroy();
      throw error;
    }
  }

  return {
    kind,
    open() {
      opening ??= open().catch((error: unknown) => {
        opening = undefined;
        throw error;
      });
      return opening;
    },
    async close() {
      const kysely = await opening?.catch(() => undefined);
      opening = undefined;
      await kysely?.destroy();
    },
  };
}

/** Loads only the client of this kind. */
async function dialectOf(address: DatabaseAddress): Promise<Dialect> {
  if (address.kind === "sqlite") return (await import("./sqlite.ts")).sqliteDialect(address.path);
  return (await import("./postgres.ts")).postgresDialect(address.url);
}
