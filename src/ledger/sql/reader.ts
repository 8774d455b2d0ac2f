import type { Kysely } from "kysely";
import type { Database } from "../../database/database.ts";
import { GatewayError } from "../../errors.ts";
import type { UsageReader } from "../usage-reader.ts";
import { getCall, listCalls } from "./read-calls.ts";
import { queryUsage } from "./read-usage.ts";
import { storable } from "./storable.ts";
import type { LedgerTables } from "./tables.ts";

/** Reads the ledger of a database. */
export function createUsageReader(database: Database): UsageReader {
  async function read<Result>(run: (ledger: Kysely<LedgerTables>) => Promise<Result>): Promise<Result> {
    try {
      return await run((await database.open()).$extendTables<LedgerTables>());
    } catch (cause) {
      throw new GatewayError("STORE_UNAVAILABLE", "the database of the ledger does not respond; retry later", {
        retryAfterMs: 1000,
        cause,
      });
    }
  }
  return {
    queryUsage: (query, scope) => read((ledger) => queryUsage(ledger, database.kind, storable(query), storable(scope))),
    listCalls: (query, scope) => read((ledger) => listCalls(ledger, storable(query), storable(scope))),
    getCall: (id, scope) => read((ledger) => getCall(ledger, storable(id), storable(scope))),
  };
}
