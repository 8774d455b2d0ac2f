import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { freePort } from "../../bench/processes.ts";
import { AttemptSchema } from "../../src/gen/dragoman/v1/attempt_pb.js";
import { createOtlpSink } from "../../src/ledger/sinks/otlp.ts";
import { Lines, mark, openOutbox, openShipper, record, temporaryFolder } from "../ledger/outbox/harness.ts";
import { otlpReceiver, startOtlpProgram } from "./otlp-receiver.ts";
import { isMissing } from "./tools.ts";

describe.skipIf(isMissing("the OTLP receiver", otlpReceiver))("the receiver of the OpenTelemetry Collector", () => {
  it("gets every record of an outbox, also those from before it was there", async () => {
    const outbox = temporaryFolder();
    const { folder, writer } = openOutbox(outbox);
    const port = await freePort();
    const log = new Lines();
    const sink = createOtlpSink({ endpoint: `http://127.0.0.1:${port}`, headers: {} }, log);
    const shipper = openShipper(outbox, [sink], { instance: folder.instance, log });
    const attempts = [create(AttemptSchema, { provider: "openai", httpStatus: 200 })];
    for (let call = 0; call < 600; call++) await writer.settle(record(`call-${call}`, { attempts }));
    expect(await shipper.shipAll()).toBe(false);
    const lines = await startOtlpProgram(port);
    expect(await shipper.shipAll()).toBe(true);
    const received = [];
    for (let call = 0; call < 600; call++) received.push(JSON.parse((await lines.next()).value));
    expect(received.map(({ attributes }) => attributes["dragoman.call.id"])).toEqual(
      Array.from({ length: 600 }, (_, call) => `call-${call}`),
    );
    expect(received[0]).toEqual({
      resource: { "service.name": "dragoman" },
      scope: "dragoman.ledger",
      time: "2027-01-15T08:00:00Z",
      severity: "Info",
      event: "dragoman.call",
      body: "CompleteChat ok",
      attributes: expect.objectContaining({
        "dragoman.account": "billing",
        "dragoman.labels": { team: "search" },
        "dragoman.usage.input_tokens": 10,
        "dragoman.duration_ms": 12,
        "dragoman.attempts": ['{"provider":"openai","httpStatus":200}'],
      }),
    });
    await sink.store([mark("lost")]);
    expect(JSON.parse((await lines.next()).value)).toMatchObject({ severity: "Warn", body: "CompleteChat lost" });
    // Writes lines that it holds back, so that none repeats within a second.
    await shipper.stop();
    expect(log.messages).toEqual([
      "call records cannot be shipped; they wait in the outbox",
      "call records are shipped again",
    ]);
  });
});
