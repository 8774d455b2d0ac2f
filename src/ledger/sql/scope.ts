import { type RawBuilder, type SqlBool, sql } from "kysely";
import type { CallScope } from "../usage-reader.ts";

/** Returns the condition that a row of `call` or `usage_hour` is in a scope. */
export function inScope(scope: CallScope): RawBuilder<SqlBool> {
  switch (scope.calls) {
    case "all":
      return sql`true`;
    case "of accounts":
      return scope.accounts.length === 0 ? sql`false` : sql`account in (${sql.join(scope.accounts)})`;
    case "of key":
      return sql`key_id = ${scope.keyId}`;
    default:
      return scope satisfies never;
  }
}
