import { Code, ConnectError } from "@connectrpc/connect";
import { LLMock } from "@copilotkit/aimock";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createFold } from "../../src/chat/stream/fold.ts";
import type { ChatRequest } from "../../src/gen/dragoman/v1/chat_request_pb.js";
import { type ChatCompletion, FinishReason } from "../../src/gen/dragoman/v1/completion_pb.js";
import { ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.js";
import { ask } from "../support/requests.ts";
import { startTestService, type TestService } from "../support/service.ts";
import { functionTool } from "../support/tools.ts";

/**
 * A provider that aimock emulates. It differs from the real APIs in two ways: it invents usage counts, and for Gemini's
 * tool calls it sends FUNCTION_CALL, which is no Gemini finish reason.
 */
interface Emulated {
  readonly provider: string;
  readonly model: string;
  readonly environment: (url: string) => Readonly<Record<string, string>>;
  /** Whether aimock sends reasoning for this provider. */
  readonly reasoning: boolean;
}

const emulated: readonly Emulated[] = [
  {
    provider: "openai",
    model: "openai/gpt-4o",
    environment: (url) => ({ OPENAI_API_KEY: "mock", OPENAI_BASE_URL: `${url}/v1` }),
    reasoning: false,
  },
  {
    provider: "ollama",
    model: "ollama/llama3",
    environment: (url) => ({ OLLAMA_BASE_URL: `${url}/v1` }),
    reasoning: true,
  },
  {
    provider: "azure-openai",
    model: "azure-openai/gpt-4o",
    environment: (url) => ({
      AZURE_OPENAI_API_KEY: "mock",
      AZURE_OPENAI_BASE_URL: url,
      AZURE_OPENAI_API_VERSION: "2024-10-21",
    }),
    reasoning: false,
  },
  {
    provider: "anthropic",
    model: "anthropic/claude-sonnet-4-5",
    environment: (url) => ({ ANTHROPIC_API_KEY: "mock", ANTHROPIC_BASE_URL: url }),
    reasoning: true,
  },
  {
    provider: "gemini",
    model: "gemini/gemini-2.5-flash",
    environment: (url) => ({ GEMINI_API_KEY: "mock", GEMINI_BASE_URL: `${url}/v1beta` }),
    reasoning: true,
  },
  {
    provider: "cohere",
    model: "cohere/command-a-03-2025",
    environment: (url) => ({ COHERE_API_KEY: "mock", COHERE_BASE_URL: url }),
    reasoning: false,
  },
  {
    provider: "bedrock",
    model: "bedrock/anthropic.claude-3-5-sonnet-20240620-v1:0",
    environment: (url) => ({ AWS_BEARER_TOKEN_BEDROCK: "mock", BEDROCK_BASE_URL: url, AWS_REGION: "us-east-1" }),
    reasoning: true,
  },
];

const tools = [
  functionTool({ name: "weather", parametersJsonSchema: '{"type":"object","properties":{"city":{"type":"string"}}}' }),
];

let mock: LLMock;
let service: TestService;

beforeAll(async () => {
  mock = new LLMock({ port: 0, chunkSize: 5 });
  mock.onMessage("hello", { content: "Hello, wörld 🌍! How are you?" });
  mock.onMessage("think", { content: "42", reasoning: "Six times seven is forty-two." });
  mock.onMessage("weather in Oslo and Rome", {
    toolCalls: [
      { name: "weather", arguments: '{"city":"Oslo"}' },
      { name: "weather", arguments: '{"city":"Rome"}' },
    ],
  });
  await mock.start();
  const environment: Record<string, string> = Object.assign(
    {},
    ...emulated.map((entry) => entry.environment(mock.url)),
  );
  service = await startTestService(environment);
});
afterEach(() => {
  mock.clearChaos();
  service.forgetRecords();
});
afterAll(async () => {
  await service.stop();
  await mock.stop();
});

async function stream(chat: ChatRequest): Promise<ChatCompletion> {
  const fold = createFold();
  for await (const { event } of service.chatClient("grpc").streamChat({ chat })) {
    if (event.case !== undefined) fold.add(event);
  }
  return fold.completion;
}

async function complete(chat: ChatRequest): Promise<ChatCompletion> {
  const { completion } = await service.chatClient("grpc").completeChat({ chat });
  return completion ?? expect.fail("the response has no completion");
}

async function failureOf(call: Promise<unknown>): Promise<{ code: Code; reason: string | undefined }> {
  const error = await call.then(
    () => expect.fail("the call succeeded but must fail"),
    (thrown: unknown) => ConnectError.from(thrown),
  );
  return { code: error.code, reason: error.findDetails(ErrorInfoSchema)[0]?.reason };
}

const textOf = ({ choices }: ChatCompletion): string =>
  (choices[0]?.message?.parts ?? []).map(({ kind }) => (kind.case === "text" ? kind.value : "")).join("");

it.each(emulated.filter(({ reasoning }) => reasoning))("returns reasoning before the text from $provider", async ({
  model,
}) => {
  const completion = await stream(ask(model, "think"));
  expect(textOf(completion)).toBe("42");
  const reasoningTexts = completion.choices[0]?.message?.parts.flatMap(({ kind }) =>
    kind.case === "reasoning" ? [kind.value.text] : [],
  );
  expect(reasoningTexts?.join("")).toBe("Six times seven is forty-two.");
});

describe.each(emulated)("$provider emulated by aimock", ({ model }) => {
  it.each([
    ["streamed", stream],
    ["whole", complete],
  ] as const)("returns text, %s", async (_, call) => {
    const completion = await call(ask(model, "hello"));
    expect(textOf(completion)).toBe("Hello, wörld 🌍! How are you?");
    expect(completion.choices[0]?.finishReason).toBe(FinishReason.STOP);
  });

  it.each([
    ["streamed", stream],
    ["whole", complete],
  ] as const)("returns two tool calls, %s", async (_, call) => {
    const completion = await call(ask(model, "weather in Oslo and Rome", { tools }));
    const calls = completion.choices[0]?.message?.parts.flatMap(({ kind }) =>
      kind.case === "toolCall" ? [[kind.value.name, JSON.parse(kind.value.argumentsJson)]] : [],
    );
    expect(calls).toEqual([
      ["weather", { city: "Oslo" }],
      ["weather", { city: "Rome" }],
    ]);
    expect(completion.choices[0]?.finishReason).toBe(FinishReason.TOOL_CALLS);
  });

  it("reports a rate limit as PROVIDER_RATE_LIMITED", async () => {
    mock.setChaos({ rateLimitRate: 1 });
    expect(await failureOf(stream(ask(model, "hello")))).toEqual({
      code: Code.ResourceExhausted,
      reason: "PROVIDER_RATE_LIMITED",
    });
  });

  it("reports a dropped request as UNAVAILABLE", async () => {
    mock.setChaos({ dropRate: 1 });
    expect((await failureOf(stream(ask(model, "hello")))).code).toBe(Code.Unavailable);
  });

  it("reports a malformed response as a provider error", async () => {
    mock.setChaos({ malformedRate: 1 });
    expect(["PROVIDER_FAULT", "PROVIDER_STREAM_INTERRUPTED"]).toContain(
      (await failureOf(stream(ask(model, "hello")))).reason,
    );
  });

  it("reports a disconnect as UNAVAILABLE and records it as an error", async () => {
    mock.setChaos({ disconnectRate: 1 });
    expect((await failureOf(stream(ask(model, "hello")))).code).toBe(Code.Unavailable);
    expect(await service.nextRecord()).toMatchObject({ outcome: "failed" });
  });
});
