import { readdirSync } from "node:fs";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { expect, it } from "vitest";
import { CallOutcome } from "../../src/gen/dragoman/admin/v1/call_record_pb.js";
import { ChatService } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import type { Usage } from "../../src/gen/dragoman/v1/usage_pb.js";
import { createDatabaseSink } from "../../src/ledger/sql/database-sink.ts";
import { startConfigured } from "../support/configured-process.ts";
import { connectDatabase } from "../support/databases.ts";
import { readRecords, readTotal } from "../support/ledger-records.ts";
import type { ServiceProcess } from "../support/process.ts";
import { scriptEcho } from "../support/requests.ts";
import { openShipper, temporaryFolder } from "./outbox/harness.ts";

/** Rounds in which two processes are killed. `LEDGER_KILLS=100` makes 100. */
const rounds = Number(process.env.LEDGER_KILLS ?? 1);

/** Makes calls until the process is killed, after a number of responses. Returns the usage of those, by their id. */
async function callUntilKilled(
  service: ServiceProcess,
  count: number,
): Promise<ReadonlyMap<string, Usage | undefined>> {
  const usages = new Map<string, Usage | undefined>();
  const client = createClient(ChatService, createGrpcTransport({ baseUrl: `http://${service.grpcAddress}` }));
  const answered = (id: string, usage: Usage | undefined): void => {
    usages.set(id, usage);
    if (usages.size === count) service.child.kill("SIGKILL");
  };
  const callers = Array.from({ length: 16 }, async (_, index) => {
    for (let call = index; ; call++) {
      const chat = scriptEcho({ text: `word `.repeat((call % 7) + 1) });
      if (call % 2 === 0) {
        const { completion } = await client.completeChat({ chat });
        answered(completion?.id ?? "", completion?.usage);
      } else {
        let id = "";
        let usage: Usage | undefined;
        for await (const { event } of client.streamChat({ chat })) {
          if (event.case === "started") ({ id } = event.value);
          if (event.case === "completed") ({ usage } = event.value);
        }
        answered(id, usage);
      }
    }
  });
  await Promise.allSettled(callers);
  return usages;
}

it(`has every call whose trailers a client saw once, with its usage, after kill -9 (${rounds} rounds of two processes)`, async () => {
  const folder = temporaryFolder();
  const [outbox, path] = [join(folder, "outbox"), join(folder, "dragoman.db")];
  const yaml = `{ store: { outbox: ${outbox}, database: "sqlite:${path}" } }`;
  const database = connectDatabase({ kind: "sqlite", path });
  let seen = 0;
  for (let round = 0; round < rounds; round++) {
    await using first = await startConfigured(yaml);
    await using second = await startConfigured(yaml);
    const counts = [first, second].map((service) => callUntilKilled(service, 1 + Math.floor(Math.random() * 400)));
    const usages = await Promise.all(counts);
    await Promise.all([first.exited, second.exited]);
    const shipper = openShipper(outbox, [createDatabaseSink(database)], { name: `sqlite:${path}` });
    shipper.adopt();
    expect(await shipper.shipAll()).toBe(true);
    await shipper.stop();
    expect(readdirSync(outbox)).toEqual([]);
    // Records that a response did not wait for are in the log of the process.
    const late = [first, second]
      .flatMap(({ log }) => log)
      .filter(({ msg }) => String(msg).startsWith("the outbox is slow"));
    const records = await readRecords(database);
    for (const [id, usage] of usages.flatMap((map) => [...map])) {
      if (late.length === 0) expect(records.get(id), id).toMatchObject({ outcome: CallOutcome.OK, usage });
      seen++;
    }
  }
  const records = [...(await readRecords(database)).values()];
  const total = await readTotal(database);
  expect(total).toMatchObject({
    calls: BigInt(records.length),
    outputTokens: records.reduce((sum, { usage }) => sum + BigInt(usage?.outputTokens ?? 0), 0n),
  });
  const lost = records.filter(({ outcome }) => outcome === CallOutcome.LOST).length;
  process.stdout.write(`${rounds} rounds: ${seen} responses seen, ${records.length} records, ${lost} of them lost\n`);
  expect(seen).toBeGreaterThan(0);
}, 3_600_000);
