import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { AttemptSchema } from "../../src/gen/dragoman/v1/attempt_pb.js";
import { CostSource, UsageQuality, UsageSchema } from "../../src/gen/dragoman/v1/usage_pb.js";
import type { CallRecord } from "../../src/ledger/record.ts";
import { createCallLog } from "../../src/telemetry/call-log.ts";
import { createLog } from "../../src/telemetry/log.ts";

const call: CallRecord = {
  id: "chat_1",
  requestId: "request",
  method: "StreamChat",
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

function written(record: CallRecord, level: "info" | "error" | "silent" = "info") {
  const lines: string[] = [];
  createCallLog(createLog(level, { write: (line) => void lines.push(line) })).settled?.(record, undefined);
  return lines.map((line) => JSON.parse(line));
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
});
