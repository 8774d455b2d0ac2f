import { sql, type Transaction } from "kysely";
import type { DatabaseKind } from "../../database/address.ts";
import type { Database } from "../../database/database.ts";
import type { RecordSink } from "../record-sink.ts";
import { jsonOf, selectRows } from "./json-rows.ts";
import { Partitions } from "./partitions.ts";
import { type NewCallRow, toRow } from "./record-row.ts";
import { type NewHourRow, rollUp } from "./roll-up.ts";
import { callColumns, hourGroups, hourSums, type LedgerTables } from "./tables.ts";

/** Rows of one transaction. */
const batchSize = 500;

/**
 * Stores records in the table `call`, and adds each that was not there to `usage_hour`, in the same transaction. So a
 * record counts once, however often it is stored and by however many processes.
 *
 * Rejects whatever the reason why the database does not take records. If the connection ends during a commit, it rejects
 * although the database may have them: to store them again is harmless.
 */
export function createDatabaseSink(database: Database): RecordSink {
  const partitions = database.kind === "postgres" ? new Partitions() : undefined;

  async function storeBatch(rows: readonly NewCallRow[]): Promise<void> {
    const ledger = (await database.open()).$extendTables<LedgerTables>();
    await partitions?.create(
      ledger,
      rows.map(({ start_time }) => start_time.slice(0, 10)),
    );
    await ledger.transaction().execute(async (transaction) => {
      const added = await insertCalls(transaction, database.kind, rows);
      await addToHours(transaction, database.kind, rollUp(added));
    });
  }

  return {
    name: "database",
    async store(records) {
      // In the order of ids, since processes that insert the same rows in different orders could wait for each other.
      const rows = uniqueById(records.map(toRow)).sort(byId);
      try {
        for (let begin = 0; begin < rows.length; begin += batchSize) {
          await storeBatch(rows.slice(begin, begin + batchSize));
        }
      } catch (error) {
        partitions?.forget();
        throw error;
      }
    },
    // The database belongs to the caller.
    async close() {},
  };
}

/** The first row with an id wins, as it does if the table has it already. */
function uniqueById(rows: readonly NewCallRow[]): NewCallRow[] {
  const ids = new Set<string>();
  return rows.filter(({ id }) => ids.size < ids.add(id).size);
}

function byId(a: NewCallRow, b: NewCallRow): number {
  return a.id < b.id ? -1 : 1;
}

const callNames = sql.raw(Object.keys(callColumns).join(", "));

/** Returns the rows that the table did not have. */
async function insertCalls(
  transaction: Transaction<LedgerTables>,
  kind: DatabaseKind,
  rows: readonly NewCallRow[],
): Promise<readonly NewCallRow[]> {
  const { rows: added } = await sql<{ id: string }>`
    insert into call (${callNames}) ${selectRows(kind, callColumns, jsonOf(rows))}
    on conflict do nothing returning id`.execute(transaction);
  const ids = new Set(added.map(({ id }) => id));
  return rows.filter(({ id }) => ids.has(id));
}

const hourColumns = { ...hourGroups, ...Object.fromEntries(hourSums.map((sum) => [sum, "integer" as const])) };
const hourNames = sql.raw(Object.keys(hourColumns).join(", "));
const hourKey = sql.raw(Object.keys(hourGroups).join(", "));
const hourChanges = sql.raw(hourSums.map((sum) => `${sum} = usage_hour.${sum} + excluded.${sum}`).join(", "));

async function addToHours(
  transaction: Transaction<LedgerTables>,
  kind: DatabaseKind,
  rows: readonly NewHourRow[],
): Promise<void> {
  if (rows.length === 0) return;
  await sql`insert into usage_hour (${hourNames}) ${selectRows(kind, hourColumns, jsonOf(rows))}
    on conflict (${hourKey}) do update set ${hourChanges}`.execute(transaction);
}
