import type { DatabaseKind } from "../address.ts";

interface ColumnTypes {
  /** Text that sorts by code points. */
  readonly text: string;
  readonly integer: string;
  readonly real: string;
  /** Time in UTC. On SQLite, ISO 8601 text with milliseconds, which sorts by time. */
  readonly time: string;
  readonly json: string;
}

/** Types of columns, so that one SQL creates the tables on both kinds of database. */
export const columnTypes: Readonly<Record<DatabaseKind, ColumnTypes>> = {
  sqlite: { text: "text", integer: "integer", real: "real", time: "text", json: "text" },
  postgres: {
    text: 'text collate "C"',
    integer: "bigint",
    real: "double precision",
    time: "timestamptz",
    json: "jsonb",
  },
};
