/**
 * Stores records as a shipper does: in batches of 50, each until the database has it. The arguments are the address as
 * JSON, the number of records and the step between them: two processes with other steps store the same records in
 * different orders. Prints `stored` after each batch.
 */
import { createDatabase } from "../../../src/database/database.ts";
import { createDatabaseSink } from "../../../src/ledger/sql/database-sink.ts";
import { numberedRecord } from "./records.ts";

const [address = "", count = "0", step = "1"] = process.argv.slice(2);
const database = createDatabase(JSON.parse(address));
const sink = createDatabaseSink(database);
const order = Array.from({ length: Number(count) }, (_, index) => (index * Number(step)) % Number(count));
for (let begin = 0; begin < order.length; begin += 50) {
  const batch = order.slice(begin, begin + 50).map(numberedRecord);
  while (!(await sink.store(batch).then(() => true, report))) await new Promise((resolve) => setTimeout(resolve, 20));
  process.stdout.write("stored\n");
}
await database.close();

function report(error: Error): false {
  process.stderr.write(`${error.message}\n`);
  return false;
}
