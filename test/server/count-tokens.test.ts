import { afterEach, describe, expect, it } from "vitest";
import { AttemptOutcome } from "../../src/gen/dragoman/v1/attempt_pb.js";
import { TokenService } from "../../src/gen/dragoman/v1/token_service_pb.js";
import { UsageQuality } from "../../src/gen/dragoman/v1/usage_pb.js";
import { failureOf } from "../support/embedding.ts";
import { type Playable, type RecordedRequest, startReplayUpstream } from "../support/replay-upstream.ts";
import { ask } from "../support/requests.ts";
import { protocols, startTestService, type TestService } from "../support/service.ts";

const opened: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

async function start(environment: Record<string, string>): Promise<TestService> {
  const service = await startTestService(environment);
  opened.push({ [Symbol.asyncDispose]: () => service.stop() });
  return service;
}

const json = { "content-type": "application/json" };
const never = new Promise<never>(() => {});
const answers = (body: object): Playable => ({ headers: json, steps: [{ write: JSON.stringify(body) }] });

/** Providers that count for free. */
const providers = [
  {
    name: "anthropic",
    environment: (url: string) => ({ ANTHROPIC_API_KEY: "key", ANTHROPIC_BASE_URL: url }),
    model: "anthropic/claude-sonnet-5",
    path: "/v1/messages/count_tokens",
    answer: { input_tokens: 17 },
    body: { model: "claude-sonnet-5", messages: [{ role: "user" }] },
    lacks: ["max_tokens", "stream", "temperature"],
  },
  {
    name: "gemini",
    environment: (url: string) => ({ GEMINI_API_KEY: "key", GEMINI_BASE_URL: url }),
    model: "gemini/gemini-2.5-flash",
    path: "/models/gemini-2.5-flash:countTokens",
    answer: { totalTokens: 17 },
    body: { generateContentRequest: { model: "models/gemini-2.5-flash", contents: [{ role: "user" }] } },
    lacks: ["contents"],
  },
  {
    name: "vertex",
    environment: (url: string) => ({ VERTEX_API_KEY: "key", VERTEX_BASE_URL: url }),
    model: "vertex/gemini-2.5-flash",
    path: "/v1/publishers/google/models/gemini-2.5-flash:countTokens",
    answer: { totalTokens: 17 },
    body: { contents: [{ role: "user" }] },
    lacks: ["generationConfig"],
  },
  {
    name: "bedrock",
    environment: (url: string) => ({
      AWS_BEARER_TOKEN_BEDROCK: "key",
      BEDROCK_BASE_URL: url,
      AWS_REGION: "us-east-1",
    }),
    model: "bedrock/us.anthropic.claude-sonnet-5",
    path: "/model/anthropic.claude-sonnet-5/count-tokens",
    answer: { inputTokens: 17 },
    body: { input: { converse: { messages: [{ role: "user" }] } } },
    lacks: ["inferenceConfig"],
  },
] as const;

const chat = (model: string) =>
  ask(model, "how many tokens?", { parameters: { maxOutputTokens: 10, temperature: 0.5 } });

async function counting(provider: (typeof providers)[number], play: Playable) {
  const upstream = await startReplayUpstream(play);
  opened.push(upstream);
  const service = await start(provider.environment(upstream.baseUrl));
  return {
    service,
    upstream,
    count: () => service.client(TokenService, "grpc").countTokens({ chat: chat(provider.model) }),
  };
}

describe.each(providers)("CountTokens with $name", (provider) => {
  it("asks the provider, and is exact", async () => {
    const { service, upstream, count } = await counting(provider, answers(provider.answer));
    expect(await count()).toMatchObject({ inputTokens: 17, quality: UsageQuality.EXACT });
    const [request] = upstream.requests as [RecordedRequest];
    expect(request.path).toBe(provider.path);
    const body: object = JSON.parse(request.body);
    expect(body).toMatchObject(provider.body);
    for (const name of provider.lacks) expect(body).not.toHaveProperty(name);
    const record = await service.nextRecord();
    expect(record).toMatchObject({ method: "CountTokens", mayCost: false, outcome: "ok", usage: undefined });
    expect(record.attempts).toMatchObject([{ outcome: AttemptOutcome.ANSWERED, httpStatus: 200 }]);
  });

  it.each([
    ["fails", { status: 500, headers: json, steps: [{ write: "{}" }] }],
    ["rejects the request", { status: 400, headers: json, steps: [{ write: "{}" }] }],
    ["answers something else", answers({ other: 1 })],
    ["breaks off", { headers: json, steps: [{ write: '{"input' }, { cut: true as const }] }],
  ])("is an estimate if the provider %s", async (_, play) => {
    const { service, count } = await counting(provider, play);
    const { inputTokens, quality } = await count();
    expect(quality).toBe(UsageQuality.ESTIMATED);
    expect(inputTokens).toBeGreaterThan(3);
    const record = await service.nextRecord();
    expect(record).toMatchObject({ outcome: "ok" });
    expect(record.attempts).toMatchObject([{ outcome: AttemptOutcome.FAILED }]);
  });
});

describe("CountTokens", () => {
  it.each(protocols)("is exact over %s, without a provider, if Dragoman has the tokenizer", async (protocol) => {
    const upstream = await startReplayUpstream({ status: 500 });
    opened.push(upstream);
    const service = await start({ OPENAI_API_KEY: "key", OPENAI_BASE_URL: upstream.baseUrl });
    const asked = { chat: ask("openai/gpt-4o", "hello world") };
    const counted = await service.client(TokenService, protocol).countTokens(asked);
    expect(counted).toMatchObject({ inputTokens: 9, quality: UsageQuality.EXACT, model: "openai/gpt-4o" });
    const plan = await service.chatClient(protocol).planChat(asked);
    expect([plan.inputTokens, plan.inputTokensQuality]).toEqual([counted.inputTokens, counted.quality]);
    expect(upstream.requests).toEqual([]);
  });

  it("is an estimate for a provider that does not count, which gets no request", async () => {
    const upstream = await startReplayUpstream({ status: 500 });
    opened.push(upstream);
    const service = await start({ GROQ_API_KEY: "key", GROQ_BASE_URL: upstream.baseUrl });
    const counted = await service.client(TokenService, "grpc").countTokens({ chat: chat("groq/any") });
    expect(counted.quality).toBe(UsageQuality.ESTIMATED);
    expect(upstream.requests).toEqual([]);
  });

  it("is an estimate before the caller's deadline if the provider is silent", async () => {
    const upstream = await startReplayUpstream({ holdHeaders: never });
    opened.push(upstream);
    const service = await start({ ANTHROPIC_API_KEY: "key", ANTHROPIC_BASE_URL: upstream.baseUrl });
    const client = service.client(TokenService, "grpc");
    const counted = await client.countTokens({ chat: chat("anthropic/claude-sonnet-5") }, { timeoutMs: 2000 });
    expect(counted.quality).toBe(UsageQuality.ESTIMATED);
    await upstream.requests[0]?.aborted;
  });

  it("ends when its caller cancels it", async () => {
    const upstream = await startReplayUpstream({ holdHeaders: never });
    opened.push(upstream);
    const service = await start({ ANTHROPIC_API_KEY: "key", ANTHROPIC_BASE_URL: upstream.baseUrl });
    const caller = new AbortController();
    const client = service.client(TokenService, "grpc");
    const call = client.countTokens({ chat: chat("anthropic/claude-sonnet-5") }, { signal: caller.signal });
    const request = await upstream.nextRequest();
    caller.abort();
    await expect(call).rejects.toThrow();
    await request.aborted;
    expect(await service.nextRecord()).toMatchObject({ outcome: "cancelled" });
  });

  it("rejects what CompleteChat rejects", async () => {
    const service = await start({});
    const client = service.client(TokenService, "grpc");
    expect((await failureOf(client.countTokens({})))[0]).toBe("INVALID_REQUEST");
    expect((await failureOf(client.countTokens({ chat: ask("nothing", "x") })))[0]).toBe("MODEL_NOT_FOUND");
  });
});
