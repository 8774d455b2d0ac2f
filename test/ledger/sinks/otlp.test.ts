import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { create } from "@bufbuild/protobuf";
import { describe, expect, it, onTestFinished } from "vitest";
import { AttemptSchema } from "../../../src/gen/dragoman/v1/attempt_pb.js";
import { UsageSchema } from "../../../src/gen/dragoman/v1/usage_pb.js";
import { UnacceptableRecords } from "../../../src/ledger/record-sink.ts";
import { createOtlpSink } from "../../../src/ledger/sinks/otlp.ts";
import { Lines, mark, openOutbox, openShipper, record, temporaryFolder } from "../outbox/harness.ts";

interface Received {
  readonly path: string | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: {
    resourceLogs: { scopeLogs: { logRecords: { attributes: { key: string; value: unknown }[] }[] }[] }[];
  };
}

/** Starts a collector that answers with these responses, the last one from then on. */
async function startCollector(
  ...responses: readonly (readonly [status: number, body: string, headers?: Readonly<Record<string, string>>])[]
) {
  const requests: Received[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const [status, body, headers] = responses[Math.min(requests.length, responses.length - 1)] ?? [200, "{}"];
    requests.push({ path: request.url, headers: request.headers, body: JSON.parse(Buffer.concat(chunks).toString()) });
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const log = new Lines();
  return { endpoint, requests, log, sink: createOtlpSink({ endpoint, headers: { "x-key": "k" } }, log) };
}

const idsOf = ({ body }: Received) =>
  body.resourceLogs[0]?.scopeLogs[0]?.logRecords.map(({ attributes }) => attributes[0]?.value);

describe("the sink for OTLP logs", () => {
  it("sends all that a record has", async () => {
    const { sink, requests } = await startCollector([200, "{}"]);
    const usage = create(UsageSchema, {
      inputTokens: 7,
      cachedInputTokens: 0,
      quality: 1,
      cost: { totalNanos: 2n ** 60n },
    });
    const attempts = [create(AttemptSchema, { provider: "openai", httpStatus: 200 })];
    await sink.store([record("a", { usage, attempts }), mark("b")]);
    const [request] = requests;
    expect(request).toMatchObject({ path: "/v1/logs", headers: { "x-key": "k", "content-type": "application/json" } });
    expect(request?.body).toMatchObject({
      resourceLogs: [
        {
          resource: { attributes: [{ key: "service.name", value: { stringValue: "dragoman" } }] },
          scopeLogs: [
            {
              logRecords: [
                { timeUnixNano: "1800000000000000000", severityText: "INFO", body: { stringValue: "CompleteChat ok" } },
                { severityText: "WARN", body: { stringValue: "CompleteChat lost" } },
              ],
            },
          ],
        },
      ],
    });
    const attributes = request?.body.resourceLogs[0]?.scopeLogs[0]?.logRecords[0]?.attributes;
    expect(Object.fromEntries((attributes ?? []).map(({ key, value }) => [key, value]))).toEqual({
      "dragoman.call.id": { stringValue: "a" },
      "dragoman.request.id": { stringValue: "r-1" },
      "dragoman.account": { stringValue: "billing" },
      "dragoman.key.id": { stringValue: "team-a" },
      "dragoman.labels": { kvlistValue: { values: [{ key: "team", value: { stringValue: "search" } }] } },
      "dragoman.model": { stringValue: "openai/gpt-4o" },
      "dragoman.provider": { stringValue: "openai" },
      "dragoman.method": { stringValue: "CompleteChat" },
      "dragoman.protocol": { stringValue: "grpc" },
      "dragoman.peer": { stringValue: "127.0.0.1" },
      "dragoman.profile": { stringValue: "plain" },
      "dragoman.outcome": { stringValue: "ok" },
      "dragoman.duration_ms": { doubleValue: 12 },
      "dragoman.first_output_ms": { doubleValue: 3 },
      "dragoman.usage.input_tokens": { intValue: "7" },
      "dragoman.usage.output_tokens": { intValue: "0" },
      "dragoman.usage.total_tokens": { intValue: "0" },
      "dragoman.usage.cached_input_tokens": { intValue: "0" },
      "dragoman.usage.quality": { stringValue: "exact" },
      "dragoman.cost.total_nanos": { intValue: "1152921504606846976" },
      "dragoman.attempts": {
        arrayValue: { values: [{ stringValue: '{"provider":"openai","httpStatus":200}' }] },
      },
    });
  });

  it("offers records again after a status that can change, and after a lost connection", async () => {
    const { sink } = await startCollector([503, ""], [401, ""], [200, "{}"]);
    await expect(sink.store([record("a")])).rejects.toThrow("the collector sent HTTP status 503");
    await expect(sink.store([record("a")])).rejects.toThrow("the collector sent HTTP status 401");
    await sink.store([record("a")]);
    const gone = createOtlpSink({ endpoint: "http://127.0.0.1:1", headers: {} }, new Lines());
    await expect(gone.store([record("a")])).rejects.not.toThrow(UnacceptableRecords);
  });

  it.each([301, 302, 303, 307, 308])("follows no redirect with status %d, and names its target", async (status) => {
    const page = await startCollector([200, "<html>sign in</html>"]);
    const { sink, requests } = await startCollector([status, "", { location: `${page.endpoint}/v1/logs` }]);
    await expect(sink.store([record("a")])).rejects.toThrow(
      `HTTP status ${status}, and Dragoman follows no redirects; set store.sinks.otlp.endpoint to ${page.endpoint}`,
    );
    expect([requests.length, page.requests.length]).toEqual([1, 0]);
  });

  it("does not offer again what the collector never accepts", async () => {
    const { sink, log } = await startCollector(
      [400, ""],
      [200, JSON.stringify({ partialSuccess: { rejectedLogRecords: "2", errorMessage: "too old" } })],
    );
    await expect(sink.store([record("a")])).rejects.toThrow(UnacceptableRecords);
    await sink.store([record("a"), record("b")]);
    expect(log.lines).toMatchObject([{ level: "warn", fields: { count: 2, reason: "too old" } }]);
  });

  it("gets all records of an outbox, at most 500 records at once", async () => {
    const outbox = temporaryFolder();
    const { folder, writer } = openOutbox(outbox);
    const { sink, requests } = await startCollector([200, "{}"]);
    for (let call = 0; call < 1_100; call++) void writer.settle(record(String(call)));
    await writer.close();
    const shipper = openShipper(outbox, [sink], { instance: folder.instance });
    expect(await shipper.shipAll()).toBe(true);
    expect(requests.map((request) => idsOf(request)?.length)).toEqual([500, 500, 100]);
    expect(new Set(requests.flatMap((request) => idsOf(request)?.map((id) => JSON.stringify(id)))).size).toBe(1_100);
  });
});
