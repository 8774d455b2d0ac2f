import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { UsageQuality } from "../../src/gen/dragoman/v1/usage_pb.js";
import { streamEnd, textChunk } from "../support/openai-wire.ts";
import { openConnectStream, openGrpcStream, readMessages } from "../support/raw-stream.ts";
import { type ReplayUpstream, startReplayUpstream } from "../support/replay-upstream.ts";
import { ask } from "../support/requests.ts";
import { startTestService, type TestService } from "../support/service.ts";

const deltas = 10_000;
const deltaBytes = 6_000;

/** What may lie in the buffers of sockets and streams between the upstream and a reader that does not read. */
const bufferBytes = 24 * 2 ** 20;

let upstream: ReplayUpstream;
let service: TestService;

beforeAll(async () => {
  // One script for each of the tests' requests, since a script counts.
  const scripts = Array.from({ length: 4 }, () => ({ steps: [{ flood: countedDeltas() }, { write: streamEnd }] }));
  upstream = await startReplayUpstream(...scripts);
  service = await startTestService({ VLLM_BASE_URL: upstream.baseUrl });
});
afterAll(async () => {
  await service.stop();
  await upstream[Symbol.asyncDispose]();
});

/** Numbered deltas, each padded to `deltaBytes`. */
function countedDeltas(): () => Uint8Array {
  let next = 0;
  return () => (next === deltas ? new Uint8Array() : Buffer.from(textChunk(`${next++} `.padEnd(deltaBytes, "x"))));
}

/** Lets everything that can move move: calls on other connections, one after the other. */
async function otherTraffic(): Promise<void> {
  for (let call = 0; call < 60; call++) await service.chatClient("grpc").completeChat({ chat: ask("echo/echo", "hi") });
}

describe.each([
  ["gRPC", openGrpcStream, () => service.grpcAddress],
  ["Connect", openConnectStream, () => service.httpAddress],
] as const)("a reader over %s that stops reading", { timeout: 60_000 }, (_, open, address) => {
  beforeEach(() => service.forgetRecords());

  it("pauses the upstream, keeps memory bounded, and gets every delta in order when it reads on", async () => {
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

  it("and then goes away leaves nothing behind: the upstream is aborted and the call recorded", async () => {
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
