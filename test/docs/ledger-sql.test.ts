import { readFileSync } from "node:fs";
import { sql } from "kysely";
import { expect, it } from "vitest";
import type { DatabaseKind } from "../../src/database/address.ts";
import { createDatabaseSink } from "../../src/ledger/sql/database-sink.ts";
import { callColumns, usageGroups, usageSums } from "../../src/ledger/sql/tables.ts";
import { testRecord } from "../ledger/sql/records.ts";
import { describeDatabases } from "../support/databases.ts";

const text = readFileSync(new URL("../../docs/ledger-sql.md", import.meta.url), "utf8");
const queries = [...text.matchAll(/```sql\n([^`]+)```/g)].map(([, query = ""]) => query);

/** The changes to a query that the page names for SQLite. */
function inDialect(kind: DatabaseKind, query: string): string {
  if (kind === "postgres") return query;
  return query
    .replace("jsonb_array_elements(attempts) as attempt", "json_each(attempts)")
    .replaceAll("attempt->>", "value->>");
}

describeDatabases("docs/ledger-sql.md", (databases) => {
  it("has queries that run and find the calls", async () => {
    const database = await databases.connect();
    const startMs = Date.UTC(2026, 10, 29, 1);
    const attempts = [{ target: "openai/gpt-5.5", failureReason: "PROVIDER_UNAVAILABLE" }];
    const earlier = testRecord({ startMs: startMs - 86_400_000 });
    await createDatabaseSink(database).store([testRecord({ startMs, attempts, labels: { team: "a" } }), earlier]);
    const kysely = await database.open();
    expect(queries).toHaveLength(6);
    for (const query of queries) {
      const { rows } = await sql.raw(inDialect(database.kind, query)).execute(kysely);
      expect(rows.length, query).toBeGreaterThan(0);
    }
  });
});

it("names every column of the tables", () => {
  const named = new Set([...text.matchAll(/`([a-z0-9_]+)`/g)].map(([, name]) => name));
  const columns = [...Object.keys(callColumns), "hour", "day", ...Object.keys(usageGroups), ...usageSums];
  const unnamed = columns.filter((column) => !named.has(column) && !column.startsWith("took_up_to_"));
  expect(unnamed).toEqual([]);
});
