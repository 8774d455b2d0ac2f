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
 * Maximum time until the upstream sees the abort, in milliseconds. The specified limit is 100 ms after the call ends.
 * The tests allow ten times as much, because a busy machine may pause the whole process for longer.
 */
const abortWithinMs = 10 * 100;

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

/** Deadline headers of every protocol. They are set directly, because a client timer could end the call first. */
const deadlineOf = (ms: number) => ({ "grpc-timeout": `${ms}m`, "connect-timeout-ms": `${ms}` });

/** Returns the milliseconds from `since` until the upstream sees the abort. */
async function abortedAfter(aborted: Promise<void>, since: number): Promise<number> {
  await aborted;
  return performance.now() - since;
}

const phases = [
  { phase: "before the upstream response headers", model: "openai/gpt-4o", upstream: () => silent, output: false },
  { phase: "in mid-stream", model: "vllm/m", upstream: () => stuck, output: true },
];

describe.each(protocols)("over %s", (protocol) => {
  describe.each(phases)("$phase", ({ model, upstream, output }) => {
    it("aborts the upstream request of a cancelled unary call", async () => {
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

    it("aborts the upstream request of a cancelled stream and records the partial usage", async () => {
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

    it.each([
      "unary",
      "streamed",
    ])("aborts the upstream request of a %s call when its deadline passes", async (kind) => {
      const timeoutMs = 200;
      const client = service.chatClient(protocol);
      const chat = ask(model, "hello there");
      const read = async (): Promise<unknown> => {
        if (kind === "unary") return client.completeChat({ chat }, { headers: deadlineOf(timeoutMs) });
        for await (const _ of client.streamChat({ chat }, { headers: deadlineOf(timeoutMs) }));
        return undefined;
      };
      const arrived = upstream().nextRequest();
      const reading = read().catch((error: unknown) => ConnectError.from(error).code);
      const { aborted } = await arrived;
      const since = performance.now();
      expect(await abortedAfter(aborted, since)).toBeLessThan(timeoutMs + abortWithinMs);
      expect(await reading).toBe(Code.DeadlineExceeded);
      expect(await service.nextRecord()).toMatchObject({
        outcome: "deadline_exceeded",
        reason: "DEADLINE_EXCEEDED",
        usage: { quality: UsageQuality.PARTIAL },
      });
    });
  });
});

it("aborts the upstream request if a gRPC client loses its connection", async () => {
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

it("completes a call that is not cancelled", async () => {
  await using upstream = await startReplayUpstream({ steps: [{ write: textChunk("Paris") }, { write: streamEnd }] });
  const other = await startTestService({ VLLM_BASE_URL: upstream.baseUrl });
  const { completion } = await other.chatClient("grpc").completeChat({ chat: ask("vllm/m", "?") });
  expect(completion?.choices[0]?.message?.parts[0]?.kind.value).toBe("Paris");
  expect(await other.nextRecord()).toMatchObject({ outcome: "ok", usage: { quality: UsageQuality.EXACT } });
  await other.stop();
});
