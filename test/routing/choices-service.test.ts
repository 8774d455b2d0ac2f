import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { plainRules } from "../../src/config/route.ts";
import { AttemptOutcome } from "../../src/gen/dragoman/v1/attempt_pb.js";
import { ChatService } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { FinishReason } from "../../src/gen/dragoman/v1/completion_pb.js";
import { CallInfoSchema } from "../../src/gen/dragoman/v1/error_pb.js";
import { UsageQuality } from "../../src/gen/dragoman/v1/usage_pb.js";
import type { CallRecord } from "../../src/ledger/record.ts";
import { Rejections } from "../../src/load/rejections.ts";
import type { Adapter } from "../../src/providers/adapter.ts";
import { createEcho } from "../../src/providers/echo/index.ts";
import { runOnTarget } from "../../src/routing/choices.ts";
import { type Service, startService } from "../../src/server/service.ts";
import { model, adapter as openai } from "../providers/chat-completions/harness.ts";
import { streamEnd, textChunk } from "../support/openai-wire.ts";
import { type RecordedRequest, type ReplayUpstream, startReplayUpstream } from "../support/replay-upstream.ts";
import { ask, scriptEcho } from "../support/requests.ts";

const never = new Promise<never>(() => {});
const oneChoice = (adapter: Adapter): Adapter => ({ ...adapter, maxChoices: 1 });
const whole = { steps: [{ write: textChunk("yes") }, { write: streamEnd }] };
const stuck = { steps: [{ write: textChunk("some words that came ") }, { hold: never }] };
// Fail only after all three requests have arrived: the server never sees a request that is aborted before it is sent.
const allArrived = Promise.withResolvers<void>();
const limited = { status: 429, holdHeaders: allArrived.promise };

let upstream: ReplayUpstream;
let failing: ReplayUpstream;
let service: Service;
const records: CallRecord[] = [];

beforeAll(async () => {
  upstream = await startReplayUpstream(stuck);
  failing = await startReplayUpstream(whole, limited, stuck);
  service = await startService({
    plainRules: { ...plainRules, maxAttempts: 1 },
    config: loadConfig({
      environment: { DRAGOMAN_GRPC_ADDRESS: "127.0.0.1:0", DRAGOMAN_HTTP_ADDRESS: "127.0.0.1:0" },
      providers: [],
    }),
    adapters: [
      oneChoice(createEcho()),
      oneChoice(openai(upstream.baseUrl)),
      oneChoice(openai(failing.baseUrl, {}, "vllm")),
    ],
    models: [],
    rejections: new Rejections(() => {}),
    observers: [{ settled: (record) => void records.push(record) }],
  });
});
afterAll(async () => {
  await service.stop();
  await upstream[Symbol.asyncDispose]();
  await failing[Symbol.asyncDispose]();
});

const client = () => createClient(ChatService, createGrpcTransport({ baseUrl: `http://${service.grpcAddress}` }));

async function requestsOf(server: ReplayUpstream, count: number): Promise<readonly RecordedRequest[]> {
  while (server.requests.length < count) await server.nextRequest();
  return server.requests;
}

describe("three choices from a provider that returns one per request, over sockets", () => {
  it("returns one response and records the usage of all upstream requests", async () => {
    const usage = { input_tokens: 10, output_tokens: 4 };
    const chat = scriptEcho({ text: "a b c ", usage }, { parameters: { n: 3 } });
    records.length = 0;
    const { completion } = await client().completeChat({ chat });
    expect(completion?.choices).toMatchObject(
      [0, 1, 2].map((index) => ({
        index,
        finishReason: FinishReason.STOP,
        message: { parts: [{ kind: { case: "text", value: "a b c " } }] },
      })),
    );
    expect(completion?.usage).toMatchObject({ inputTokens: 30, outputTokens: 12, quality: UsageQuality.EXACT });
    expect(completion?.attempts).toMatchObject(
      [0, 1, 2].map((choiceIndex) => ({
        choiceIndex,
        target: "echo/echo",
        outcome: AttemptOutcome.ANSWERED,
        failureReason: "",
        usage: { totalTokens: 14 },
      })),
    );
    expect(completion?.warnings).toMatchObject([{ reason: "EMULATED", field: "parameters.n" }]);
    expect(records).toMatchObject([{ outcome: "ok", usage: { totalTokens: 42 } }]);
  });

  it("rejects more than eight choices before any upstream request", async () => {
    const chat = ask("vllm/m", "hello", { parameters: { n: 9 } });
    const failure = await client()
      .completeChat({ chat })
      .catch((error: unknown) => ConnectError.from(error).code);
    expect(failure).toBe(Code.InvalidArgument);
    expect(failing.requests).toHaveLength(0);
  });

  it("completes eight choices over fewer than eight connections", async () => {
    const one = await startReplayUpstream(whole);
    const adapter = oneChoice(openai(one.baseUrl));
    const request = ask("openai/gpt-4o", "hello", { parameters: { n: 8 } });
    const { signal } = new AbortController();
    const { events } = runOnTarget({ model: model(), adapter }, request, { signal, holder: "account:a", whole: false });
    const seen: string[] = [];
    for await (const batch of events) seen.push(...batch.map((event) => event.case));
    expect(seen.filter((name) => name === "finished")).toHaveLength(8);
    expect(one.connections).toBeLessThan(8);
    await adapter.close?.();
    await one[Symbol.asyncDispose]();
  });

  it("aborts every upstream request if the caller cancels, and records each attempt", async () => {
    records.length = 0;
    const controller = new AbortController();
    const ended = (async () => {
      const chat = ask("openai/gpt-4o", "hello", { parameters: { n: 3 } });
      for await (const { event } of client().streamChat({ chat }, { signal: controller.signal })) {
        if (event.case === "delta") controller.abort();
      }
    })().catch((error: unknown) => ConnectError.from(error).code);
    const requests = await requestsOf(upstream, 3);
    await Promise.all(requests.map(({ aborted }) => aborted));
    expect(await ended).toBe(Code.Canceled);
    const attempt = { outcome: AttemptOutcome.ABANDONED, failureReason: "CANCELLED", duration: expect.anything() };
    expect(records).toMatchObject([{ outcome: "cancelled", attempts: [attempt, attempt, attempt] }]);
  });

  it("fails with the error of the first failed request, aborts the others, and reports each attempt", async () => {
    const chat = ask("vllm/m", "hello", { parameters: { n: 3 } });
    records.length = 0;
    const failure = client()
      .completeChat({ chat })
      .catch((error: unknown) => ConnectError.from(error));
    const requests = await requestsOf(failing, 3);
    allArrived.resolve();
    const error = await failure;
    expect(error).toMatchObject({ code: Code.ResourceExhausted });
    await requests[2]?.aborted;
    const attempts = [0, 1, 2].map((choiceIndex) => ({
      choiceIndex,
      target: "vllm/m",
      startOffset: expect.anything(),
      duration: expect.anything(),
    }));
    expect(records).toMatchObject([{ outcome: "failed", attempts }]);
    const [info] = error instanceof ConnectError ? error.findDetails(CallInfoSchema) : [];
    expect(info?.attempts).toMatchObject(attempts);
    // The requests arrive in any order: one has the answer, one the rate limit and one no end.
    const ends = info?.attempts.map(({ outcome, failureReason }) => [outcome, failureReason]);
    expect(ends).toContainEqual([AttemptOutcome.FAILED, "PROVIDER_RATE_LIMITED"]);
    expect(ends).toContainEqual([AttemptOutcome.ABANDONED, "CANCELLED"]);
    expect(records[0]?.attempts.map(({ outcome, failureReason }) => [outcome, failureReason])).toEqual(ends);
  });
});
