import { describe, expect, it } from "vitest";
import { freePort } from "../../bench/processes.ts";
import { scriptEcho } from "../support/requests.ts";
import { startObserved } from "../telemetry/harness.ts";
import { otlpReceiver, startOtlpProgram } from "./otlp-receiver.ts";
import { isMissing } from "./tools.ts";

describe.skipIf(isMissing("the OTLP receiver", otlpReceiver))("the receiver of the OpenTelemetry Collector", () => {
  it("gets the spans and the metrics of calls", async () => {
    const port = await freePort();
    const lines = await startOtlpProgram(port);
    const { chat, service } = await startObserved(undefined, {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
    });
    for (let call = 0; call < 10; call++) await chat.completeChat({ chat: scriptEcho({ text: "a b" }) });
    await service.stop();
    const received: Record<string, unknown>[] = [];
    const isWhole = () =>
      received.filter(({ kind }) => kind === "Server").length === 10 &&
      received.some(({ metric }) => metric === "rpc.server.call.duration");
    while (!isWhole()) received.push(JSON.parse((await lines.next()).value));
    const calls = received.filter(({ kind }) => kind === "Server");
    const attempts = received.filter(({ kind }) => kind === "Client");
    expect(calls[0]).toMatchObject({
      resource: { "service.name": "dragoman" },
      scope: "dragoman",
      span: "dragoman.v1.ChatService/CompleteChat",
      events: ["first_output"],
      status: "Unset",
    });
    expect(attempts.map(({ trace, parent }) => [trace, parent])).toEqual(calls.map(({ trace, id }) => [trace, id]));
    const metric = (name: string) => received.find((line) => line.metric === name);
    expect(metric("dragoman.calls")).toMatchObject({
      type: "Sum",
      temporality: "Cumulative",
      points: [{ value: 10, attributes: { model: "echo/echo", outcome: "ok" } }],
    });
    expect(metric("dragoman.call_duration")).toMatchObject({ unit: "s", type: "Histogram", points: [{ value: 10 }] });
    expect(metric("dragoman.calls_in_flight")).toMatchObject({ type: "Gauge", points: [{ value: 0 }] });
  });
});
