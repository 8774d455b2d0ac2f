import { CompiledQuery, type RawBuilder, sql, type Transaction } from "kysely";
import type { DatabaseKind } from "../../database/address.ts";
import type { ColumnType, LedgerTables } from "./tables.ts";

/** How rows get into a table. */
export interface Target<Row> {
  readonly table: keyof LedgerTables;
  readonly columns: Readonly<Record<keyof Row & string, ColumnType>>;
  /** What follows `on conflict`. */
  readonly onConflict: string;
}

type Insert = <Row>(
  transaction: Transaction<LedgerTables>,
  target: Target<Row>,
  rows: readonly Row[],
) => Promise<readonly Row[]>;

/**
 * Inserts rows, and returns those that were inserted or updated. On PostgreSQL, the first column identifies a row in the
 * result.
 */
export const insertRows: Readonly<Record<DatabaseKind, Insert>> = {
  /** Row by row, since SQLite reads a row from JSON five times slower than from parameters. */
  async sqlite(transaction, { table, columns, onConflict }, rows) {
    const names = Object.keys(columns) as (keyof (typeof rows)[number])[];
    const marks = names.map(() => "?").join(", ");
    const statement = `insert into ${table} (${names.join(", ")}) values (${marks}) on conflict ${onConflict}`;
    const changed: (typeof rows)[number][] = [];
    for (const row of rows) {
      const values = names.map((name) => row[name]);
      const { numAffectedRows } = await transaction.executeQuery(CompiledQuery.raw(statement, values));
      if (numAffectedRows === 1n) changed.push(row);
    }
    return changed;
  },

  /** In one statement with one parameter, which costs a fraction of one for each value. */
  async postgres(transaction, { table, columns, onConflict }, rows) {
    const names = Object.keys(columns) as (keyof (typeof rows)[number] & string)[];
    const [first = ""] = names;
    const { rows: changed } = await sql<Record<string, unknown>>`
      insert into ${sql.table(table)} (${sql.raw(names.join(", "))}) ${selectFromJson(columns, JSON.stringify(rows))}
      on conflict ${sql.raw(onConflict)} returning ${sql.ref(first)}`.execute(transaction);
    const keys = new Set(changed.map((row) => row[first]));
    return rows.filter((row) => keys.has(row[first as keyof typeof row]));
  },
};

const readAs = { text: "text", integer: "bigint", time: "timestamptz", json: "text", real: "double precision" };

function selectFromJson(columns: Readonly<Record<string, ColumnType>>, json: string): RawBuilder<unknown> {
  const types = Object.entries(columns).map(
    ([name, type]) => [name, type.replace("?", "") as keyof typeof readAs] as const,
  );
  const values = types.map(([name, type]) => (type === "json" ? `${name}::jsonb` : name));
  const definitions = types.map(([name, type]) => `${name} ${readAs[type]}`);
  return sql`select ${sql.raw(values.join(", "))}
    from json_to_recordset(${json}::json) as new_row(${sql.raw(definitions.join(", "))})`;
}
