import { once } from "node:events";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { UsageQuality } from "../../src/gen/dragoman/v1/usage_pb.js";
import { streamEnd, textChunk } from "../support/openai-wire.ts";
import { openConnectStream, openGrpcStream, readMessages } from "../support/raw-stream.ts";
import { type ReplayUpstream, startReplayUpstream } from "../support/replay-upstream.ts";
import { ask } from "../support/requests.ts";
import { startTestService, type TestService } from "../support/service.ts";

const deltas = 10_000;
const deltaBytes = 6_000;

/** Maximum bytes in all socket and stream buffers between the upstream and a client that does not read. */
const bufferBytes = 24 * 2 ** 20;

let upstream: ReplayUpstream;
let service: TestService;

beforeAll(async () => {
  // One script per request, because each script has its own counter.
  const scripts = Array.from({ length: 4 }, () => ({ steps: [{ flood: countedDeltas() }, { write: streamEnd }] }));
  upstream = await startReplayUpstream(...scripts);
  service = await startTestService({ VLLM_BASE_URL: upstream.baseUrl });
});
afterAll(async () => {
  await service.stop();
  await upstream[Symbol.asyncDispose]();
});

/** Creates a source of numbered deltas, each padded to `deltaBytes`. */
function countedDeltas(): () => Uint8Array {
  let next = 0;
  return () => (next === deltas ? new Uint8Array() : Buffer.from(textChunk(`${next++} `.padEnd(deltaBytes, "x"))));
}

/** Makes sequential calls on another connection, so that all pending reads and writes can proceed. */
async function otherTraffic(): Promise<void> {
  for (let call = 0; call < 60; call++) await service.chatClient("grpc").completeChat({ chat: ask("echo/echo", "hi") });
}

describe.each([
  ["gRPC", openGrpcStream, () => service.grpcAddress],
  ["Connect", openConnectStream, () => service.httpAddress],
] as const)("a client over %s that stops reading", { timeout: 60_000 }, (_, open, address) => {
  beforeEach(() => service.forgetRecords());

  it("pauses the upstream while the client does not read, and delivers every delta", async () => {
    const flooded = upstream.floodedBytes;
    const stream = await open(address(), ask("vllm/m", "flood"));
    await otherTraffic();
    const waiting = upstream.floodedBytes - flooded;
    await otherTraffic();
    expect(upstream.floodedBytes - flooded).toBe(waiting);
    expect(waiting).toBeLessThan(bufferBytes);

    let expected = 0;
    let last: string | undefined;
    for await (const { event } of readMessages(stream)) {
      last = event.case;
      if (event.case === "delta" && event.value.delta.case === "text") {
        expect(Number.parseInt(event.value.delta.value, 10)).toBe(expected++);
      }
    }
    expect(expected).toBe(deltas);
    expect(last).toBe("completed");
  });

  it("aborts the upstream request and writes a record if the client disconnects", async () => {
    const arrived = upstream.nextRequest();
    const stream = await open(address(), ask("vllm/m", "flood"));
    const { aborted } = await arrived;
    await otherTraffic();
    service.forgetRecords();
    stream.destroy();
    await aborted;
    expect(await service.nextRecord()).toMatchObject({
      outcome: "cancelled",
      usage: { quality: UsageQuality.PARTIAL },
    });
  });
});

describe("a client over gRPC that reads on after the deadline", () => {
  it("receives the status behind the messages that were on their way", async () => {
    await using flood = await startReplayUpstream({ steps: [{ flood: countedDeltas() }] });
    const limited = await startTestService({ VLLM_BASE_URL: flood.baseUrl }, (config) => ({
      ...config,
      limits: { ...config.limits, maxCallMs: 1_000 },
    }));
    onTestFinished(() => limited.stop());
    const { body } = await openGrpcStream(limited.grpcAddress, ask("vllm/m", "flood"));
    expect(await limited.nextRecord()).toMatchObject({ outcome: "deadline_exceeded" });
    const trailers = once(body, "trailers");
    body.resume();
    expect((await trailers)[0]).toMatchObject({ "grpc-status": "4" });
  });
});
