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

/** Writes a frame, and reports it at once: a line in a buffer of this process would end with it. */
async function report(line: string, write: () => Promise<void> | undefined): Promise<void> {
  const { late } = writer.state;
  await write();
  // On a busy machine, a call may not have waited for its frame. Then the count is higher.
  if (writer.state.late === late) writeSync(1, `${line}\n`);
}

let calls = 0;
async function caller(): Promise<void> {
  for (;;) {
    const id = `${name}-${calls++}`;
    await report(`begun ${id}`, () => writer.begin(toLostMessage({ ...call, id })));
    for (let turns = calls % 20; turns > 0; turns--) await nextTurn();
    await report(`settled ${id}`, () => writer.settle(toMessage({ ...call, id })));
  }
}
await Promise.all(Array.from({ length: 32 }, caller));
