/**
 * Process that takes over abandoned folders when it gets a line on standard input, ships them, and prints how many
 * records it has stored.
 *
 * node adopting-process.ts <outbox> <file of the id table>
 */
import { once } from "node:events";
import { Shipper } from "../../../src/ledger/outbox/shipper.ts";
import { IdTable } from "./id-table.ts";
import { database } from "./records.ts";

const [outbox = "", table = ""] = process.argv.slice(2);
const log = {
  info() {},
  warn: (fields: object, message: string) => void process.stderr.write(`${message} ${JSON.stringify(fields)}\n`),
};
const shipper = new Shipper({ outbox, instance: undefined, database, log, sinks: [new IdTable(table)] });
process.stdout.write("ready\n");
await once(process.stdin, "data");
shipper.adopt();
const isShipped = await shipper.shipAll();
await shipper.stop();
process.stdout.write(`${isShipped ? shipper.state.sinks[0]?.stored : "failed"}\n`);
process.exit(0);
