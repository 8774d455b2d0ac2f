import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ChatService } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { UsageQuality } from "../../src/gen/dragoman/v1/usage_pb.js";
import { streamEnd, textChunk } from "../support/openai-wire.ts";
import { type ReplayUpstream, startReplayUpstream } from "../support/replay-upstream.ts";
import { ask } from "../support/requests.ts";
import { protocols, startTestService, type TestService } from "../support/service.ts";

/**
 * How soon after the caller's end the upstream request must be gone, in milliseconds. It takes a few; tests are tried
 * again because a busy machine may stop the whole process for longer than the law allows.
 */
const abortWithinMs = 100;
const attempts = { retry: 3 };

const never = new Promise<never>(() => {});

let silent: ReplayUpstream;
let stuck: ReplayUpstream;
let service: TestService;

beforeAll(async () => {
  silent = await startReplayUpstream({ holdHeaders: never });
  stuck = await startReplayUpstream({ steps: [{ write: textChunk("some words that came ") }, { hold: never }] });
  service = await startTestService({
    OPENAI_API_KEY: "sk-test",
    OPENAI_BASE_URL: silent.baseUrl,
    VLLM_BASE_URL: stuck.baseUrl,
  });
});
beforeEach(() => service.forgetRecords());
afterAll(async () => {
  await service.stop();
  await Promise.all([silent, stuck].map((upstream) => upstream[Symbol.asyncDispose]()));
});

/** Milliseconds from `since` until the upstream saw its request cut. */
async function abortedAfter(aborted: Promise<void>, since: number): Promise<number> {
  await aborted;
  return performance.now() - since;
}

const phases = [
  { phase: "before the upstream's headers", model: "openai/gpt-4o", upstream: () => silent, output: false },
  { phase: "in mid-stream", model: "vllm/m", upstream: () => stuck, output: true },
];

describe.each(protocols)("over %s", (protocol) => {
  describe.each(phases)("$phase", ({ model, upstream, output }) => {
    it("a cancelled unary call aborts the upstream request", attempts, async () => {
      const controller = new AbortController();
      const arrived = upstream().nextRequest();
      const call = service
        .chatClient(protocol)
        .completeChat({ chat: ask(model, "hello there") }, { signal: controller.signal })
        .catch((error: unknown) => ConnectError.from(error).code);
      const { aborted } = await arrived;
      const since = performance.now();
      controller.abort();
      expect(await abortedAfter(aborted, since)).toBeLessThan(abortWithinMs);
      expect(await call).toBe(Code.Canceled);
      const record = await service.nextRecord();
      expect(record).toMatchObject({
        outcome: "cancelled",
        reason: "CANCELLED",
        usage: { quality: UsageQuality.PARTIAL },
      });
      expect(record.usage?.inputTokens).toBeGreaterThan(0);
    });

    it("a cancelled stream aborts the upstream request and records what came", attempts, async () => {
      const controller = new AbortController();
      const arrived = upstream().nextRequest();
      const stream = service
        .chatClient(protocol)
        .streamChat({ chat: ask(model, "hello there") }, { signal: controller.signal });
      const seen: (string | undefined)[] = [];
      const read = async (): Promise<unknown> => {
        for await (const { event } of stream) {
          seen.push(event.case);
          if (event.case === "delta") controller.abort();
        }
        return undefined;
      };
      const reading = read().catch((error: unknown) => ConnectError.from(error).code);
      const { aborted } = await arrived;
      const since = performance.now();
      if (!output) controller.abort();
      expect(await abortedAfter(aborted, since)).toBeLessThan(abortWithinMs);
      expect(await reading).toBe(Code.Canceled);
      const record = await service.nextRecord();
      expect(record).toMatchObject({ outcome: "cancelled", usage: { quality: UsageQuality.PARTIAL } });
      if (output) expect(record.usage?.outputTokens).toBeGreaterThan(0);
    });

    it("a deadline that passes aborts the upstream request, and the record says so", attempts, async () => {
      for (const stream of [false, true]) {
        const timeoutMs = 200;
        const arrived = upstream().nextRequest();
        const client = service.chatClient(protocol);
        const begin = performance.now();
        const options = { timeoutMs };
        const read = async (): Promise<unknown> => {
          if (!stream) return client.completeChat({ chat: ask(model, "hello there") }, options);
          for await (const _ of client.streamChat({ chat: ask(model, "hello there") }, options));
          return undefined;
        };
        const reading = read().catch((error: unknown) => ConnectError.from(error).code);
        const { aborted } = await arrived;
        expect(await abortedAfter(aborted, begin + timeoutMs)).toBeLessThan(abortWithinMs);
        expect(await reading).toBe(Code.DeadlineExceeded);
        expect(await service.nextRecord()).toMatchObject({
          outcome: "deadline",
          reason: "DEADLINE_EXCEEDED",
          usage: { quality: UsageQuality.PARTIAL },
        });
      }
    });
  });
});

it("a gRPC client whose connection is lost aborts the upstream request", attempts, async () => {
  const baseUrl = `http://${service.grpcAddress}`;
  const sessions = new Http2SessionManager(baseUrl);
  const client = createClient(ChatService, createGrpcTransport({ baseUrl, sessionManager: sessions }));
  const arrived = stuck.nextRequest();
  const call = client.completeChat({ chat: ask("vllm/m", "hello") }).catch(() => "failed");
  const { aborted } = await arrived;
  const since = performance.now();
  sessions.abort();
  expect(await abortedAfter(aborted, since)).toBeLessThan(abortWithinMs);
  expect(await call).toBe("failed");
  expect(await service.nextRecord()).toMatchObject({ outcome: "cancelled" });
});

it("a call that is not cancelled is untouched by all this", async () => {
  await using upstream = await startReplayUpstream({ steps: [{ write: textChunk("Paris") }, { write: streamEnd }] });
  const other = await startTestService({ VLLM_BASE_URL: upstream.baseUrl });
  const { completion } = await other.chatClient("grpc").completeChat({ chat: ask("vllm/m", "?") });
  expect(completion?.choices[0]?.message?.parts[0]?.kind.value).toBe("Paris");
  expect(await other.nextRecord()).toMatchObject({ outcome: "ok", usage: { quality: UsageQuality.EXACT } });
  await other.stop();
});
