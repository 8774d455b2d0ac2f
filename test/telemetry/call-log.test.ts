import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { pino, stdTimeFunctions } from "pino";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { GatewayError } from "../../src/errors.ts";
import { AttemptSchema } from "../../src/gen/dragoman/v1/attempt_pb.js";
import { ChatRequestSchema } from "../../src/gen/dragoman/v1/chat_request_pb.js";
import { ProviderErrorSchema } from "../../src/gen/dragoman/v1/error_pb.js";
import { MessageSchema } from "../../src/gen/dragoman/v1/message_pb.js";
import { CostSource, UsageQuality, UsageSchema } from "../../src/gen/dragoman/v1/usage_pb.js";
import type { CallRecord } from "../../src/ledger/record.ts";
import { createCallLog } from "../../src/telemetry/call-log.ts";
import { createLog } from "../../src/telemetry/log.ts";
import { ConnectionError } from "../../src/upstream/connection-error.ts";

const call: CallRecord = {
  id: "chat_1",
  requestId: "request",
  method: "StreamChat",
  stream: true,
  mayCost: true,
  protocol: "grpc",
  peerAddress: "192.0.2.1",
  keyId: "key",
  accountId: "account",
  user: "user",
  labels: { team: "a" },
  route: "chat-fast",
  model: "openai/gpt-4o",
  provider: "openai",
  profile: "egp-chat",
  outcome: "ok",
  reason: undefined,
  usage: create(UsageSchema, {
    inputTokens: 5,
    outputTokens: 7,
    totalTokens: 12,
    reasoningTokens: 0,
    quality: UsageQuality.PARTIAL,
  }),
  notes: [],
  attempts: [
    create(AttemptSchema, {
      provider: "openai",
      providerModel: "gpt-4o",
      failureReason: "PROVIDER_UNAVAILABLE",
      httpStatus: 503,
      duration: { seconds: 1n, nanos: 250_000_000 },
    }),
    create(AttemptSchema, {
      provider: "openai",
      providerModel: "gpt-4o",
      providerRequestId: "r",
      providerResponseId: "c",
    }),
  ],
  startTime: new Date("2026-01-02T03:04:05.678Z"),
  durationMs: 1234.5678,
  firstOutputMs: 0.04,
};

function written(record: CallRecord, level: "info" | "error" | "silent" = "info", error?: GatewayError) {
  const { observer, lines } = start(level);
  observer.settled?.(record, error);
  return lines();
}

function start(level: "info" | "error" | "silent" = "info") {
  const texts: string[] = [];
  const observer = createCallLog(createLog(level, { write: (line) => void texts.push(line) }));
  return { observer, lines: () => texts.map((line) => JSON.parse(line)) };
}

describe("a call record in the log", () => {
  it("writes the record as one line with usage and attempts", () => {
    expect(written(call)).toEqual([
      {
        level: "info",
        time: expect.any(String),
        msg: "call",
        id: "chat_1",
        request_id: "request",
        method: "StreamChat",
        protocol: "grpc",
        peer_address: "192.0.2.1",
        key_id: "key",
        account_id: "account",
        user: "user",
        labels: { team: "a" },
        route: "chat-fast",
        model: "openai/gpt-4o",
        provider: "openai",
        profile: "egp-chat",
        outcome: "ok",
        status: "OK",
        stream: true,
        start_time: "2026-01-02T03:04:05.678Z",
        duration_ms: 1234.6,
        first_output_ms: 0,
        input_tokens: 5,
        output_tokens: 7,
        total_tokens: 12,
        reasoning_tokens: 0,
        usage_quality: "partial",
        attempts: [
          {
            provider: "openai",
            provider_model: "gpt-4o",
            failure_reason: "PROVIDER_UNAVAILABLE",
            http_status: 503,
            duration_ms: 1250,
          },
          { provider: "openai", provider_model: "gpt-4o", provider_request_id: "r", provider_response_id: "c" },
        ],
      },
    ]);
  });

  it("writes every count and the cost that the provider reports", () => {
    const usage = create(UsageSchema, {
      cacheWrite1hInputTokens: 1,
      audioInputTokens: 2,
      audioOutputTokens: 3,
      imageInputTokens: 4,
      imageOutputTokens: 5,
      serverToolRequests: { web_search_requests: 6 },
      cost: { totalNanos: 7n },
    });
    expect(written({ ...call, usage })).toMatchObject([
      {
        cache_write_1h_input_tokens: 1,
        audio_input_tokens: 2,
        audio_output_tokens: 3,
        image_input_tokens: 4,
        image_output_tokens: 5,
        server_tool_requests: { web_search_requests: 6 },
        cost_nanos: 7,
      },
    ]);
  });

  it("writes where a cost comes from, why it is not there, and the service tier of an attempt", () => {
    const usage = create(UsageSchema, { cost: { totalNanos: 7n, source: CostSource.PRICE_TABLE } });
    expect(written({ ...call, usage })[0]).toMatchObject({ cost_nanos: 7, cost_source: "price_table" });
    const attempts = [create(AttemptSchema, { provider: "openai", serviceTier: "flex" })];
    const [line] = written({ ...call, notes: ["PRICE_UNKNOWN"], attempts });
    expect(line).toMatchObject({ notes: ["PRICE_UNKNOWN"], attempts: [{ service_tier: "flex" }] });
    expect(line).not.toHaveProperty("cost_source");
  });

  it("omits the route of a call that requested a model", () => {
    expect(written({ ...call, route: "" })[0]).not.toHaveProperty("route");
  });

  it("writes the reason of a failure and omits missing values", () => {
    const [line] = written({
      ...call,
      outcome: "failed",
      reason: "MODEL_NOT_FOUND",
      usage: undefined,
      attempts: [],
      firstOutputMs: undefined,
    });
    expect(line).toMatchObject({ outcome: "failed", reason: "MODEL_NOT_FOUND", attempts: [] });
    expect(Object.keys(line).filter((key) => /tokens|usage|first_output/.test(key))).toEqual([]);
  });

  it("writes the record at every level except silent", () => {
    expect(written(call, "error")).toHaveLength(1);
    expect(written(call, "silent")).toEqual([]);
  });

  it("adds up the time that attempts waited in queues", () => {
    const waits = [{ nanos: 20_000_000 }, undefined, { seconds: 1n }];
    const attempts = waits.map((queueDuration) => create(AttemptSchema, { ...(queueDuration && { queueDuration }) }));
    expect(written({ ...call, attempts })[0]).toMatchObject({ queue_ms: 1020, attempts: [{ queue_ms: 20 }, {}, {}] });
    expect(written(call)[0]).not.toHaveProperty("queue_ms");
  });
});

describe("a failed call in the log", () => {
  const failed: CallRecord = { ...call, outcome: "failed", reason: "PROVIDER_UNAVAILABLE" };
  const provider = create(ProviderErrorSchema, { provider: "openai", httpStatus: 503, code: "busy" });

  it.each([
    ["info", new GatewayError("INVALID_REQUEST", "x")],
    ["info", new GatewayError("CANCELLED", "x")],
    ["info", new GatewayError("TOKENS_LIMITED", "x")],
    ["warn", new GatewayError("PROVIDER_RATE_LIMITED", "x")],
    ["warn", new GatewayError("PROVIDER_FAULT", "x")],
    ["warn", new GatewayError("OVERLOADED", "x")],
    ["error", new GatewayError("INTERNAL", "x")],
  ])("has the level %s for %s", (level, error) => {
    const lines = written({ ...failed, reason: error.reason }, "info", error);
    expect(lines.at(-1)).toMatchObject({ msg: "call", level, status: error.status, reason: error.reason });
  });

  it("has the message, the fields, the provider's words and the time to wait", () => {
    const error = new GatewayError("INVALID_REQUEST", "invalid request", {
      fields: [
        { field: ["messages", 0, "role"], description: "no" },
        { root: "body", field: ["n"], description: "no" },
      ],
      ...{ provider, providerMessage: "try later", retryAfterMs: 1500 },
    });
    expect(written(failed, "info", error)[0].error).toEqual({
      message: "invalid request",
      fields: ["chat.messages[0].role", "n"],
      ...{ provider_status: 503, provider_code: "busy", provider_message: "try later", retry_after_ms: 1500 },
    });
  });

  it("has the address and the code of a failed connection", () => {
    const refused = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
    const cause = new ConnectionError(refused, new URL("https://api.example.com/v1"));
    const error = new GatewayError("PROVIDER_UNAVAILABLE", "not reached", { provider, cause });
    const place = { host: "api.example.com", port: 443, code: "ECONNREFUSED" };
    expect(written(failed, "info", error)[0].error).toMatchObject(place);
  });

  it("has the failure of each attempt, also if the call succeeds", () => {
    const { observer, lines } = start();
    const [attempt] = call.attempts;
    if (attempt === undefined) return expect.fail("there is an attempt");
    const failure = new GatewayError("PROVIDER_UNAVAILABLE", "busy", { provider, providerMessage: "try later" });
    observer.attemptFailed?.(call, attempt, failure, create(ChatRequestSchema));
    observer.settled?.(call, undefined);
    const error = { message: "busy", provider_status: 503, provider_code: "busy", provider_message: "try later" };
    expect(lines()).toMatchObject([{ level: "info", outcome: "ok", attempts: [{ error }, {}] }]);
    expect(lines()[0]).not.toHaveProperty("error");
    expect(lines()[0].attempts[1]).not.toHaveProperty("error");
  });

  it("has no quotation of the prompt, neither in the provider's words nor in the message", () => {
    const { observer, lines } = start();
    const prompt = "a prompt that nobody else may read";
    const message = create(MessageSchema, { parts: [{ kind: { case: "text", value: prompt } }] });
    const words = `cannot read '${prompt}'`;
    const error = new GatewayError("INVALID_REQUEST", `rejected: ${words}`, { provider, providerMessage: words });
    const [attempt] = call.attempts;
    if (attempt === undefined) return expect.fail("there is an attempt");
    observer.attemptFailed?.(call, attempt, error, create(ChatRequestSchema, { messages: [message] }));
    observer.settled?.(failed, error);
    const shown = { message: "rejected: cannot read '[prompt]'", provider_message: "cannot read '[prompt]'" };
    expect(lines()).toMatchObject([{ error: shown, attempts: [{ error: shown }, {}] }]);
  });

  it("bounds the length of texts and the number of fields", () => {
    const fields = Array.from({ length: 100 }, (_, index) => ({ field: ["messages", index], description: "no" }));
    const long = "x".repeat(5000);
    const error = new GatewayError("INVALID_REQUEST", long, { provider, providerMessage: long, fields });
    const [line] = written(failed, "info", error);
    expect(JSON.stringify(line.error).length).toBeLessThan(2500);
    expect(line.error.fields).toHaveLength(8);
  });

  it("has the stack of an internal fault in a line of its own, at most once a second for each class of error", () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const { observer, lines } = start();
    const fault = () => new GatewayError("INTERNAL", "x", { cause: new TypeError("no such property") });
    for (let count = 0; count < 5; count++) observer.settled?.({ ...failed, reason: "INTERNAL" }, fault());
    vi.advanceTimersByTime(1000);
    const faults = lines().filter(({ msg }) => msg === "call failed with status INTERNAL");
    expect(faults).toMatchObject([
      { level: "error", id: "chat_1", err: { type: "TypeError", stack: expect.stringContaining("at ") } },
      { level: "error", omitted: 3 },
    ]);
    expect(lines().filter(({ msg }) => msg === "call")).toHaveLength(5);
  });
});

describe("the text of a line", () => {
  it("is what pino would write, whatever callers send", () => {
    const texts: string[] = [];
    const stream = { write: (line: string) => void texts.push(line) };
    const observer = createCallLog(createLog("info", stream, 3));
    const reference = pino(
      {
        base: { worker: 3 },
        timestamp: stdTimeFunctions.isoTime,
        formatters: { level: (label) => ({ level: label }) },
      },
      stream,
    );
    vi.useFakeTimers({ now: 1_800_000_000_000, toFake: ["Date"] });
    onTestFinished(() => void vi.useRealTimers());
    const text = fc.string({ unit: "binary" });
    const texted = fc.record({ user: text, model: text, labels: fc.dictionary(text, text), notes: fc.array(text) });
    fc.assert(
      fc.property(texted, fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }), (facts, durationMs) => {
        texts.length = 0;
        observer.settled?.({ ...call, ...facts, durationMs }, undefined);
        const { level: _, time: __, worker: ___, msg, ...fields } = JSON.parse(texts[0] ?? "");
        reference.info(fields, msg);
        expect(texts[0]).toBe(texts[1]);
      }),
      { numRuns: 50 },
    );
  });
});
