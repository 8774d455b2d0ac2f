/**
 * Process that a test kills: makes calls without an end, ships their records, and reports on standard output what has
 * been acknowledged: `begun <id>` and `settled <id>`.
 *
 * node writing-process.ts <outbox> <file of the id table> <name>
 */
import { writeSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { OutboxFolder } from "../../../src/ledger/outbox/folder.ts";
import { Shipper } from "../../../src/ledger/outbox/shipper.ts";
import { OutboxWriter } from "../../../src/ledger/outbox/writer.ts";
import { toLostMessage, toMessage } from "../../../src/ledger/record-message.ts";
import { IdTable } from "./id-table.ts";
import { call, database } from "./records.ts";

const [outbox = "", table = "", name = ""] = process.argv.slice(2);
const log = { info() {}, warn() {} };
const folder = OutboxFolder.create(outbox, database);
const options = { durability: "process", onFull: "drop", maxOutboxBytes: 2 ** 30, segmentBytes: 100_000 } as const;
const writer = new OutboxWriter({ ...options, folder, database, log });
new Shipper({ outbox, instance: folder.instance, database, log, sinks: [new IdTable(table)] }).start();

/** At once: a line in a buffer of this process would end with it. */
const report = (line: string): unknown => writeSync(1, `${line}\n`);

let calls = 0;
async function caller(): Promise<void> {
  for (;;) {
    const id = `${name}-${calls++}`;
    await writer.begin(toLostMessage({ ...call, id }));
    report(`begun ${id}`);
    for (let turns = calls % 20; turns > 0; turns--) await nextTurn();
    await writer.settle(toMessage({ ...call, id }));
    report(`settled ${id}`);
    if (writer.state.late + writer.state.dropped > 0) report("late");
  }
}
await Promise.all(Array.from({ length: 32 }, caller));
