import type { Migration } from "kysely/migration";
import type { DatabaseKind } from "../address.ts";
import { createLedger } from "./0001-ledger.ts";
import { createAccounts } from "./0002-accounts.ts";

/**
 * Steps that create the tables, in the order of their names. A step that was released never changes: add a new one, and
 * keep the tables usable for the version before it, which runs beside this one during an update.
 */
export function migrations(kind: DatabaseKind): Readonly<Record<string, Migration>> {
  return {
    "0001_ledger": { up: (database) => createLedger(database, kind) },
    "0002_accounts": { up: (database) => createAccounts(database, kind) },
  };
}
