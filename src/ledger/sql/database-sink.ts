import type { Database } from "../../database/database.ts";
import { type RecordSink, UnacceptableRecords } from "../record-sink.ts";
import { insertRows, type Target } from "./insert-rows.ts";
import { Partitions } from "./partitions.ts";
import { type NewCallRow, toRow } from "./record-row.ts";
import { type NewSumRow, rollUp, type Step } from "./roll-up.ts";
import { callColumns, type LedgerTables, type UsageSumColumn, usageGroups, usageSums } from "./tables.ts";

/** Rows of one transaction. */
const batchSize = 500;

/**
 * Stores records in the table `call`, and adds each that was not there to the sums, in the same transaction. So a
 * record counts once, however often it is stored and by however many processes.
 *
 * Rejects whatever the reason why the database does not take records; with UnacceptableRecords if it is their content.
 * If the connection ends during a commit, it rejects although the database may have them: to store them again is
 * harmless.
 */
export function createDatabaseSink(database: Database): RecordSink {
  const insert = insertRows[database.kind];
  const partitions = database.kind === "postgres" ? new Partitions() : undefined;

  async function storeBatch(rows: readonly NewCallRow[]): Promise<void> {
    const ledger = (await database.open()).$extendTables<LedgerTables>();
    await partitions?.create(
      ledger,
      rows.map(({ start_time }) => start_time.slice(0, 10)),
    );
    await ledger.transaction().execute(async (transaction) => {
      const added = await insert(transaction, calls, rows);
      if (added.length === 0) return;
      await insert(transaction, hours, rollUp("hour", added));
      await insert(transaction, days, rollUp("day", added));
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
        if (isAboutContent(error))
          throw new UnacceptableRecords("the database cannot store a record", { cause: error });
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

/** Results of SQLite that a row causes: too big, or against a rule of the table, such as a sum above 2^63. */
const sqliteContentErrors: ReadonlySet<number> = new Set([18, 19]);

/** Classes of PostgreSQL's errors that a row causes: no value of the type of its column, or too large for an index. */
const postgresContentErrors = /^(?:22|54)/;

/** Whether the content of a row is the reason of an error, so that it would be the same tomorrow. */
function isAboutContent(error: unknown): boolean {
  const { errcode, code } = error as { readonly errcode?: unknown; readonly code?: unknown };
  // The other bits of the number say more about the result.
  if (typeof errcode === "number") return sqliteContentErrors.has(errcode & 0xff);
  return typeof code === "string" && postgresContentErrors.test(code);
}

const calls: Target<NewCallRow> = { table: "call", columns: callColumns, onConflict: "do nothing" };

const hours = sumsOf("hour");
const days = sumsOf("day");

function sumsOf<Of extends Step>(step: Of): Target<NewSumRow<Of>> {
  const sums = Object.fromEntries(usageSums.map((sum) => [sum, "integer"])) as Record<UsageSumColumn, "integer">;
  const table = `usage_${step}` as const;
  const changes = usageSums.map((sum) => `${sum} = ${table}.${sum} + excluded.${sum}`);
  return {
    table,
    columns: { [step]: "time", ...usageGroups, ...sums } as Target<NewSumRow<Of>>["columns"],
    onConflict: `(${[step, ...Object.keys(usageGroups)].join(", ")}) do update set ${changes.join(", ")}`,
  };
}
