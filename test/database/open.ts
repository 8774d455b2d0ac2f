/** Opens the database whose address the first argument has as JSON, and prints the number of its tables. */
import { sql } from "kysely";
import { createDatabase } from "../../src/database/database.ts";

const database = createDatabase(JSON.parse(process.argv[2] ?? ""));
const kysely = await database.open();
const { rows } = await sql<{ name: string }>`select name from migration`.execute(kysely);
process.stdout.write(rows.map(({ name }) => name).join());
await database.close();
