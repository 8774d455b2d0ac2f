import { type RawBuilder, sql } from "kysely";
import type { DatabaseKind } from "../../database/address.ts";
import type { ColumnType } from "./tables.ts";

type Columns = Readonly<Record<string, ColumnType>>;

const postgresTypes = { text: "text", integer: "bigint", time: "timestamptz", json: "jsonb", real: "double precision" };

const plain = (type: ColumnType) => type.replace("?", "") as keyof typeof postgresTypes;

/**
 * Returns a query of rows that one parameter has as a JSON array of objects: `insert into table (columns) <query>`. One
 * parameter costs a fraction of one for each value.
 */
export function selectRows(kind: DatabaseKind, columns: Columns, json: string): RawBuilder<unknown> {
  const entries = Object.entries(columns);
  if (kind === "postgres") {
    const types = entries.map(([name, type]) => `${name} ${postgresTypes[plain(type)]}`);
    return sql`select ${sql.raw(Object.keys(columns).join(", "))}
      from json_to_recordset(${json}::json) as new_row(${sql.raw(types.join(", "))})`;
  }
  const values = entries.map(([name, type]) => {
    if (plain(type) !== "json") return `value->>'${name}'`;
    return type.endsWith("?") ? `nullif(value->'${name}', 'null')` : `value->'${name}'`;
  });
  // Without `where`, SQLite would read `on conflict` as the condition of a join.
  return sql`select ${sql.raw(values.join(", "))} from json_each(${json}) where true`;
}

/** NUL, which PostgreSQL does not store in text, and halves of surrogate pairs, which are not UTF-8. */
const unstorable = /\\u(?:0000|d[89a-f])/;

/** Returns rows as a JSON array of texts that every database can store: U+FFFD replaces any other character. */
export function jsonOf(rows: readonly object[]): string {
  const json = JSON.stringify(rows);
  return unstorable.test(json) ? JSON.stringify(storable(rows)) : json;
}

/** Copies a value of plain objects, lists and texts, with texts that every database can store. */
export function storable<Value>(value: Value): Value;
export function storable(value: unknown): unknown {
  if (typeof value === "string") return storableText(value);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => storable(item));
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [storableText(name), storable(item)]));
}

function storableText(text: string): string {
  return text.toWellFormed().replaceAll("\0", "\ufffd");
}
