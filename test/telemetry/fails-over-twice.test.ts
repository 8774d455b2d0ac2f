import { describe, expect, it, onTestFinished } from "vitest";
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from "../support/otlp-receiver.ts";
import { ask } from "../support/requests.ts";
import { parsePage, startObserved, sumOf } from "./harness.ts";

const routes = `
routes:
  demo:
    tiers:
      - targets: [{ model: cloud-a/echo }]
      - targets: [{ model: cloud-b/echo }]
      - targets: [{ model: cloud-c/echo }]
    attempts: { max: 3, per_target: 1 }
breaker: { consecutive: 1 }
providers:
  cloud-a: { dialect: echo }
  cloud-b: { dialect: echo }
  cloud-c: { dialect: echo }
`;

const caller = { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", tracestate: "vendor=1" };

/** A call for which the first two clouds fail. */
const request = () =>
  ask("demo", "Paris", {
    parameters: { maxOutputTokens: 50, temperature: 0.5 },
    providerOptions: {
      "cloud-a": { fail: { reason: "PROVIDER_UNAVAILABLE", http_status: 503 } },
      "cloud-b": { fail: { reason: "PROVIDER_RATE_LIMITED", http_status: 429 } },
    },
  });

async function startReceiver(): Promise<OtlpReceiver> {
  const receiver = await startOtlpReceiver();
  onTestFinished(() => receiver[Symbol.asyncDispose]());
  return receiver;
}

function serverSpan(spans: readonly ReceivedSpan[]): ReceivedSpan {
  const found = spans.find(({ kind }) => kind === "server");
  if (found === undefined) throw new Error("no SERVER span");
  return found;
}

describe("a call that fails over twice", () => {
  it("has a span with the caller as its parent, a span for each attempt, and events", async () => {
    const receiver = await startReceiver();
    const { chat, service, log } = await startObserved(routes, {
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_EXPORTER_OTLP_HEADERS: "x-tenant=a%20b",
      OTEL_SERVICE_NAME: "gateway",
      OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=test",
    });
    await chat.completeChat({ chat: request() }, { headers: caller });
    await service.stop();
    const span = serverSpan(receiver.spans);
    expect(receiver.spans).toHaveLength(4);
    expect(span).toMatchObject({
      traceId: "0af7651916cd43dd8448eb211c80319c",
      parentSpanId: "b7ad6b7169203331",
      traceState: "vendor=1",
      name: "dragoman.v1.ChatService/CompleteChat",
      status: "unset",
      attributes: {
        "rpc.system.name": "grpc",
        "rpc.method": "dragoman.v1.ChatService/CompleteChat",
        "rpc.response.status_code": "OK",
        "dragoman.outcome": "ok",
        "dragoman.route": "demo",
        "dragoman.attempts": 3,
      },
    });
    expect(span.events.map(({ name }) => name).filter((name) => name !== "breaker")).toEqual([
      ...["fallback", "fallback", "first_output"],
    ]);
    expect(span.events.filter(({ name }) => name === "fallback").map(({ attributes }) => attributes)).toEqual([
      { "dragoman.from": "cloud-a/echo", "dragoman.to": "cloud-b/echo", "dragoman.reason": "PROVIDER_UNAVAILABLE" },
      { "dragoman.from": "cloud-b/echo", "dragoman.to": "cloud-c/echo", "dragoman.reason": "PROVIDER_RATE_LIMITED" },
    ]);
    expect(span.events.find(({ name }) => name === "breaker")?.attributes).toMatchObject({
      "dragoman.target": "cloud-a/echo",
      "dragoman.to": "open",
    });
    const attempts = receiver.spans.filter(({ kind }) => kind === "client");
    for (const { traceId, parentSpanId } of attempts) {
      expect([traceId, parentSpanId]).toEqual([span.traceId, span.spanId]);
    }
    expect(attempts.map(({ name, status, attributes }) => [name, status, attributes["error.type"]])).toEqual([
      ["chat echo", "error", "PROVIDER_UNAVAILABLE"],
      ["chat echo", "error", "PROVIDER_RATE_LIMITED"],
      ["chat echo", "unset", undefined],
    ]);
    const [line] = log().filter(({ msg }) => msg === "call");
    const { attempts: recorded, ...record } = line as { attempts: Record<string, unknown>[] } & Record<string, unknown>;
    expect(record.trace_id).toBe(span.traceId);
    expect(span.attributes["dragoman.call.id"]).toBe(record.id);
    expect(attempts[2]?.attributes).toMatchObject({
      "gen_ai.operation.name": "chat",
      "gen_ai.provider.name": "echo",
      "gen_ai.request.model": "echo",
      "gen_ai.request.max_tokens": 50,
      "gen_ai.request.temperature": 0.5,
      "gen_ai.usage.input_tokens": record.input_tokens,
      "gen_ai.usage.output_tokens": record.output_tokens,
      "dragoman.target": "cloud-c/echo",
    });
    expect(attempts.map(({ attributes }) => attributes["dragoman.target"])).toEqual(
      recorded.map(({ target }) => target),
    );
    const [traces] = receiver.requests.filter(({ path }) => path === "/v1/traces");
    expect(traces?.headers["x-tenant"]).toBe("a b");
    expect(traces?.resource).toMatchObject({
      "service.name": "gateway",
      "service.instance.id": expect.any(String),
      "deployment.environment.name": "test",
    });
  });

  it("has the same counts on the page, in OTLP and in its record", async () => {
    const receiver = await startReceiver();
    const { chat, service, log, scrape } = await startObserved(routes, {
      OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: `${receiver.url}/v1/metrics`,
    });
    await chat.completeChat({ chat: request() });
    const page = parsePage(await scrape());
    await service.stop();
    const record = log().find(({ msg }) => msg === "call") ?? {};
    const call = { method: "CompleteChat", provider: "cloud-c", model: "cloud-c/echo", outcome: "ok" };
    expect(sumOf(page, "dragoman_calls_total", { ...call, reason: "" })).toBe(1);
    expect(sumOf(page, "dragoman_call_duration_seconds_count", call)).toBe(1);
    expect(sumOf(page, "dragoman_first_output_seconds_count")).toBe(1);
    expect(sumOf(page, "dragoman_overhead_seconds_count")).toBe(1);
    expect(sumOf(page, "dragoman_calls_in_flight")).toBe(0);
    const attempts = [
      { target: "cloud-a/echo", outcome: "failed", reason: "PROVIDER_UNAVAILABLE" },
      { target: "cloud-b/echo", outcome: "failed", reason: "PROVIDER_RATE_LIMITED" },
      { target: "cloud-c/echo", outcome: "answered", reason: "" },
    ];
    for (const labels of attempts) expect(sumOf(page, "dragoman_attempts_total", labels)).toBe(1);
    expect(sumOf(page, "dragoman_attempts_total")).toBe(3);
    expect(sumOf(page, "dragoman_target_state", { target: "cloud-a/echo" })).toBe(2);
    expect(sumOf(page, "dragoman_tokens_total", { kind: "output" })).toBe(record.output_tokens);
    const seconds = sumOf(page, "dragoman_overhead_seconds_sum");
    expect(Math.abs(seconds * 1000 - Number(record.overhead_ms))).toBeLessThan(0.1);

    const metrics = receiver.requests.flatMap((sent) => sent.metrics);
    const metric = (name: string) => metrics.find((sent) => sent.name === name);
    expect(metric("dragoman.calls")).toEqual({
      ...{ name: "dragoman.calls", unit: "", kind: "sum" },
      points: [{ attributes: call, value: 1, buckets: [], bounds: [] }],
    });
    const duration = metric("dragoman.call_duration");
    expect([duration?.unit, duration?.kind]).toEqual(["s", "histogram"]);
    expect(duration?.points[0]?.buckets.reduce((sum, count) => sum + count, 0)).toBe(1);
    expect(duration?.points[0]?.buckets).toHaveLength((duration?.points[0]?.bounds.length ?? 0) + 1);
    expect(metric("gen_ai.client.operation.duration")?.points).toHaveLength(3);
    expect(metric("gen_ai.client.token.usage")?.points.map(({ value }) => value)).toEqual([
      ...[record.input_tokens, record.output_tokens],
    ]);
    expect(metric("rpc.server.call.duration")?.points[0]?.attributes).toEqual({
      "rpc.system.name": "grpc",
      "rpc.method": "dragoman.v1.ChatService/CompleteChat",
      "rpc.response.status_code": "OK",
    });
    expect(receiver.spans).toEqual([]);
  });

  it("has the latest names of GenAI metrics if the operator wants them", async () => {
    const receiver = await startReceiver();
    const { chat, service } = await startObserved(routes, {
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_SEMCONV_STABILITY_OPT_IN: "http,gen_ai_latest_experimental",
      OTEL_TRACES_EXPORTER: "none",
    });
    await chat.completeChat({ chat: request() });
    await service.stop();
    const names = receiver.requests.flatMap(({ metrics }) => metrics.map(({ name }) => name));
    expect(names.filter((name) => name.startsWith("gen_ai."))).toEqual([
      "gen_ai.client.inference.duration",
      "gen_ai.client.inference.time_to_first_chunk",
      "gen_ai.client.inference.usage.input_tokens",
      "gen_ai.client.inference.usage.output_tokens",
    ]);
    expect(receiver.requests.map(({ path }) => path)).not.toContain("/v1/traces");
  });

  it("has the caller's trace id in the log, and no spans, if the sampler records none", async () => {
    const receiver = await startReceiver();
    const { chat, service, log } = await startObserved(routes, {
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${receiver.url}/v1/traces`,
      OTEL_TRACES_SAMPLER: "traceidratio",
      OTEL_TRACES_SAMPLER_ARG: "0",
    });
    await chat.completeChat({ chat: request() }, { headers: caller });
    await service.stop();
    expect(log().find(({ msg }) => msg === "call")?.trace_id).toBe("0af7651916cd43dd8448eb211c80319c");
    expect(receiver.requests).toEqual([]);
  });
});
