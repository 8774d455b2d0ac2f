import { Code, ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { AttemptOutcome } from "../../src/gen/dragoman/v1/attempt_pb.js";
import { type CallInfo, CallInfoSchema } from "../../src/gen/dragoman/v1/error_pb.js";
import { UsageQuality } from "../../src/gen/dragoman/v1/usage_pb.js";
import { Health } from "../../src/gen/grpc/health/v1/health_pb.js";
import { textChunk } from "../support/openai-wire.ts";
import { type ReplayUpstream, startReplayUpstream } from "../support/replay-upstream.ts";
import { ask, scriptEcho } from "../support/requests.ts";
import { protocols, requireKey, startTestService, type TestService } from "../support/service.ts";

const never = new Promise<never>(() => {});

let stuck: ReplayUpstream;
let limited: ReplayUpstream;
let service: TestService;

beforeAll(async () => {
  stuck = await startReplayUpstream({ steps: [{ write: textChunk("some words that came ") }, { hold: never }] });
  limited = await startReplayUpstream({
    status: 429,
    headers: { "x-ratelimit-limit-requests": "60", "x-request-id": "req_1" },
    steps: [{ write: "{}" }],
  });
  service = await startTestService({
    OPENAI_API_KEY: "sk-test",
    OPENAI_BASE_URL: limited.baseUrl,
    VLLM_BASE_URL: stuck.baseUrl,
  });
});
beforeEach(() => service.forgetRecords());
afterAll(async () => {
  await service.stop();
  await Promise.all([stuck, limited].map((upstream) => upstream[Symbol.asyncDispose]()));
});

async function failureOf(call: Promise<unknown>): Promise<{ code: Code; infos: readonly CallInfo[] }> {
  const error = await call.then(
    () => expect.fail("the call must fail"),
    (thrown: unknown) => ConnectError.from(thrown),
  );
  return { code: error.code, infos: error.findDetails(CallInfoSchema) };
}

async function drain(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of stream);
}

describe.each(protocols)("over %s, a failed call", (protocol) => {
  it("has its id and its attempts without rate limits, unary and streamed", async () => {
    const client = service.chatClient(protocol);
    // Each call has a model of its own: Dragoman does not ask for a model again that the provider has just limited.
    for (const [target, callTo] of [
      [`openai/${protocol}-whole`, (model: string) => client.completeChat({ chat: ask(model, "hi") })],
      [`openai/${protocol}-stream`, (model: string) => drain(client.streamChat({ chat: ask(model, "hi") }))],
    ] as const) {
      const { infos } = await failureOf(callTo(target));
      const record = await service.nextRecord();
      const attempt = {
        target,
        credential: "",
        outcome: AttemptOutcome.FAILED,
        failureReason: "PROVIDER_RATE_LIMITED",
        httpStatus: 429,
        providerRequestId: "req_1",
        duration: expect.anything(),
        startOffset: expect.anything(),
      };
      expect(infos).toMatchObject([{ callId: record.id, attempts: [{ ...attempt, providerLimits: {} }] }]);
      expect(infos[0]?.usage).toBeUndefined();
      for (const name of ["usage", "firstOutputDuration", "choiceIndex"]) {
        expect(infos[0]?.attempts[0]).not.toHaveProperty(name);
      }
      const providerLimits = { "x-ratelimit-limit-requests": "60" };
      expect(record.attempts).toMatchObject([{ ...attempt, providerLimits }]);
    }
  });

  it("has the usage until its deadline, and an abandoned attempt, as its record has", async () => {
    const headers = { "grpc-timeout": "1000m", "connect-timeout-ms": "1000" };
    const { code, infos } = await failureOf(
      drain(service.chatClient(protocol).streamChat({ chat: ask("vllm/m", "hi") }, { headers })),
    );
    expect(code).toBe(Code.DeadlineExceeded);
    const record = await service.nextRecord();
    const attempts = [
      {
        outcome: AttemptOutcome.ABANDONED,
        failureReason: "DEADLINE_EXCEEDED",
        duration: expect.anything(),
        firstOutputDuration: expect.anything(),
      },
    ];
    const usage = { quality: UsageQuality.PARTIAL, outputTokens: expect.any(Number) };
    expect(infos).toMatchObject([{ callId: record.id, usage, attempts }]);
    expect(record).toMatchObject({ usage: infos[0]?.usage, attempts });
  });

  it("has only its id if no provider received a request", async () => {
    const chat = ask("echo/echo", "hi", { parameters: { n: 0 } });
    const { infos } = await failureOf(service.chatClient(protocol).completeChat({ chat }));
    const { id } = await service.nextRecord();
    expect(infos).toEqual([expect.objectContaining({ callId: id, attempts: [] })]);
    const lookUp = await failureOf(service.modelClient(protocol).getModel({ id: "nobody" }));
    expect(lookUp.infos).toMatchObject([{ callId: (await service.nextRecord()).id }]);
  });

  it("has the usage that the provider reported if the answer is not the requested JSON", async () => {
    const chat = scriptEcho(
      { text: "{a", usage: { input_tokens: 7, output_tokens: 2 } },
      { outputFormat: { format: { case: "jsonObject", value: {} } } },
    );
    const { infos } = await failureOf(service.chatClient(protocol).completeChat({ chat }));
    const usage = { totalTokens: 9, quality: UsageQuality.EXACT };
    expect(infos).toMatchObject([{ usage, attempts: [{ outcome: AttemptOutcome.ANSWERED, usage }] }]);
    expect(await service.nextRecord()).toMatchObject({ usage });
  });
});

it.each(protocols)("over %s, a call with a rejected key has its id", async (protocol) => {
  await using stack = new AsyncDisposableStack();
  const guarded = await startTestService({}, requireKey);
  stack.defer(() => guarded.stop());
  const { infos } = await failureOf(guarded.chatClient(protocol).completeChat({ chat: ask("echo/echo", "hi") }));
  expect(infos).toMatchObject([{ callId: (await guarded.nextRecord()).id, attempts: [] }]);
});

it.each(protocols)("over %s, a failed request that is no call has no CallInfo", async (protocol) => {
  const { infos } = await failureOf(service.client(Health, protocol).check({ service: "nobody" }));
  expect(infos).toEqual([]);
});
