import { Code, ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ProviderErrorSchema } from "../../src/gen/dragoman/v1/error_pb.js";
import { UsageQuality } from "../../src/gen/dragoman/v1/usage_pb.js";
import { ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.js";
import { textChunk } from "../support/openai-wire.ts";
import { type ReplayUpstream, startReplayUpstream } from "../support/replay-upstream.ts";
import { ask } from "../support/requests.ts";
import { protocols, startTestService, type TestService } from "../support/service.ts";

const never = new Promise<never>(() => {});

let silent: ReplayUpstream;
let stuck: ReplayUpstream;
beforeAll(async () => {
  silent = await startReplayUpstream({ holdHeaders: never });
  stuck = await startReplayUpstream({ steps: [{ write: textChunk("words") }, { hold: never }] });
});
afterAll(() => Promise.all([silent, stuck].map((upstream) => upstream[Symbol.asyncDispose]())));

async function failureOf(read: () => Promise<unknown>): Promise<ConnectError> {
  const error = await read().catch((thrown: unknown) => thrown);
  if (!(error instanceof ConnectError)) return expect.fail("the call must fail");
  return error;
}

describe("a call without a deadline", () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startTestService({ VLLM_BASE_URL: stuck.baseUrl }, (config) => ({
      ...config,
      limits: { ...config.limits, maxCallMs: 150 },
    }));
  });
  afterAll(() => service.stop());

  it.each(protocols)("ends a call without a deadline at the maximum call duration, over %s", async (protocol) => {
    service.forgetRecords();
    const arrived = stuck.nextRequest();
    const error = await failureOf(async () => {
      for await (const _ of service.chatClient(protocol).streamChat({ chat: ask("vllm/m", "hi") }));
    });
    expect(error.code).toBe(Code.DeadlineExceeded);
    expect(error.findDetails(ErrorInfoSchema)[0]?.reason).toBe("DEADLINE_EXCEEDED");
    await (await arrived).aborted;
    expect(await service.nextRecord()).toMatchObject({
      outcome: "deadline_exceeded",
      usage: { quality: UsageQuality.PARTIAL },
    });
  });
});

describe("an upstream that exceeds its timeouts", () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startTestService({ VLLM_BASE_URL: silent.baseUrl, SGLANG_BASE_URL: stuck.baseUrl }, (config) => ({
      ...config,
      providers: config.providers.map((provider) => ({
        ...provider,
        timeouts: { connectMs: 5_000, firstEventMs: 200, idleMs: 200 },
      })),
    }));
  });
  beforeEach(() => service.forgetRecords());
  afterAll(() => service.stop());

  it.each(
    protocols.flatMap((protocol) => [
      [protocol, "before its first event", "vllm/m", false] as const,
      [protocol, "between two events", "sglang/m", true] as const,
    ]),
  )("reports an upstream timeout as UNAVAILABLE: over %s, %s", async (protocol, _, model, outputStarted) => {
    const error = await failureOf(async () => {
      for await (const _response of service.chatClient(protocol).streamChat({ chat: ask(model, "hi") }));
    });
    expect(error.code).toBe(Code.Unavailable);
    expect(error.findDetails(ErrorInfoSchema)[0]?.reason).toBe("PROVIDER_TIMEOUT");
    expect(error.findDetails(ProviderErrorSchema)[0]?.outputStarted).toBe(outputStarted);
    expect(await service.nextRecord()).toMatchObject({ outcome: "failed", reason: "PROVIDER_TIMEOUT" });
  });
});
