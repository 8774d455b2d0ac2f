import { describe, expect, it } from "vitest";
import {
  completed,
  finished,
  reasoningDelta,
  refusalDelta,
  started,
  textDelta,
} from "../../../src/chat/stream/events.ts";
import { createFold } from "../../../src/chat/stream/fold.ts";
import { FinishReason } from "../../../src/gen/dragoman/v1/completion_pb.js";
import { cerebrasSurface } from "../../../src/surfaces/cerebras/chat.ts";
import { deepinfraSurface } from "../../../src/surfaces/deepinfra/chat.ts";
import type { ChatSurface } from "../../../src/surfaces/kit/surface.ts";
import { openaiSurface } from "../../../src/surfaces/openai/chat.ts";
import { startReplayUpstream } from "../../support/replay-upstream.ts";
import { noModels, readEvents, startSurface, type TestSurface } from "../harness.ts";

/** Chunk of a stream: the fields that these tests read. */
interface Chunk {
  readonly id: string;
  readonly object: string;
  readonly model: string;
  readonly choices: readonly {
    readonly index: number;
    readonly delta: Record<string, unknown>;
    readonly finish_reason: string | null;
    readonly logprobs?: unknown;
  }[];
  readonly usage?: Record<string, number> | null;
  readonly [field: string]: unknown;
}

interface Answer {
  readonly created: number;
  readonly choices: readonly {
    readonly message: Record<string, unknown>;
    readonly logprobs: { readonly content: readonly unknown[] };
  }[];
  readonly time_info: Record<string, number>;
  readonly metadata?: unknown;
}

async function chunksOf(surface: TestSurface, body: object): Promise<readonly Chunk[]> {
  const response = await surface.post({ ...body, stream: true });
  expect(response.status).toBe(200);
  const { data } = await readEvents(response);
  expect(data.at(-1)).toBe("[DONE]");
  return data.slice(0, -1).map((line): Chunk => JSON.parse(line));
}

async function answerOf(surface: TestSurface, body: object): Promise<Answer> {
  const response = await surface.post(body);
  const answer: Answer = JSON.parse(await response.text());
  expect([response.status, answer]).toEqual([200, expect.anything()]);
  return answer;
}

const user = (content: string) => [{ role: "user", content }];
const echo = (script: object, more: object = {}) => ({
  model: "echo/echo",
  messages: user(JSON.stringify({ echo: script })),
  ...more,
});

const usage = {
  ...{ prompt_tokens: 30, completion_tokens: 4, total_tokens: 34 },
  prompt_tokens_details: { cached_tokens: 8 },
  completion_tokens_details: { reasoning_tokens: 2, accepted_prediction_tokens: 1, rejected_prediction_tokens: 1 },
};

/** Upstream scripts of the same response, streamed and whole. */
function upstreamFor(surface: "cerebras" | "deepinfra", last: object) {
  const envelope = { id: "up-1", created: 1_790_000_000, model: "m", object: "chat.completion.chunk" };
  const chunks = [
    { choices: [{ index: 0, delta: { role: "assistant" } }] },
    { choices: [{ index: 0, delta: { [surface === "cerebras" ? "reasoning" : "reasoning_content"]: "hm" } }] },
    { choices: [{ index: 0, delta: { content: "hel" } }] },
    { choices: [{ index: 0, delta: { content: "lo" } }] },
    { choices: [{ index: 0, delta: {}, finish_reason: "stop" }], ...last },
  ];
  const lines = chunks.map((chunk) => `data: ${JSON.stringify({ ...envelope, ...chunk })}\n\n`);
  const message = {
    role: "assistant",
    content: "hello",
    [surface === "cerebras" ? "reasoning" : "reasoning_content"]: "hm",
  };
  const whole = JSON.stringify({ ...envelope, choices: [{ index: 0, message, finish_reason: "stop" }], ...last });
  return {
    stream: { steps: [...lines, "data: [DONE]\n\n"].map((write) => ({ write })) },
    whole: { headers: { "content-type": "application/json" }, steps: [{ write: whole }] },
  };
}

function environmentFor(provider: "CEREBRAS" | "DEEPINFRA", baseUrl: string) {
  return { environment: { [`${provider}_API_KEY`]: "k", [`${provider}_BASE_URL`]: baseUrl } };
}

describe("OpenAI's response", () => {
  it("sends the fields of OpenAI's response type", async () => {
    const surface = await startSurface(openaiSurface);
    const { created, ...answer } = await answerOf(surface, echo({ text: "hello world" }));
    expect(created).toBeGreaterThan(1_700_000_000);
    expect(answer).toEqual({
      id: expect.stringMatching(/^chatcmpl-[0-9a-f]{32}$/),
      object: "chat.completion",
      model: "echo/echo",
      choices: [
        {
          index: 0,
          message: { role: "assistant", content: "hello world", refusal: null },
          logprobs: null,
          finish_reason: "stop",
        },
      ],
      usage: expect.objectContaining({ completion_tokens: 2 }),
    });
  });

  it("sends tool calls with null content and refusals in the refusal field", async () => {
    const surface = await startSurface(openaiSurface);
    const tools = [{ type: "function", function: { name: "f" } }];
    const called = await answerOf(
      surface,
      echo({ tool_calls: [{ id: "c1", name: "f", arguments: { a: 1 } }] }, { tools }),
    );
    expect(called.choices).toMatchObject([
      {
        message: {
          content: null,
          tool_calls: [{ id: "c1", type: "function", function: { name: "f", arguments: '{"a":1}' } }],
        },
        finish_reason: "tool_calls",
      },
    ]);
    const rejected = await answerOf(surface, echo({ refusal: "I cannot" }));
    expect(rejected.choices[0]?.message).toMatchObject({ content: null, refusal: "I cannot" });
  });

  it("sends requested log probabilities with their alternatives", async () => {
    const surface = await startSurface(openaiSurface);
    const { choices } = await answerOf(surface, echo({ text: "a b" }, { logprobs: true, top_logprobs: 2 }));
    expect(choices[0]?.logprobs.content).toHaveLength(2);
    expect(choices[0]?.logprobs.content[0]).toMatchObject({ token: "a ", bytes: null, top_logprobs: [{}, {}] });
  });

  it("repeats the request's metadata and sends reasoning_content", async () => {
    const surface = await startSurface(openaiSurface);
    const answer = await answerOf(surface, echo({ text: "a", reasoning: "hm" }, { metadata: { team: "a" } }));
    expect(answer.metadata).toEqual({ team: "a" });
    expect(answer.choices[0]?.message.reasoning_content).toBe("hm");
  });
});

describe("OpenAI's stream", () => {
  it("streams the role first, the finish reason last, and no unrequested usage", async () => {
    const surface = await startSurface(openaiSurface);
    const chunks = await chunksOf(surface, echo({ deltas: ["a", "b"] }));
    expect(chunks.map(({ choices }) => choices[0]?.delta)).toEqual([
      { role: "assistant", content: "", refusal: null },
      { content: "a" },
      { content: "b" },
      {},
    ]);
    expect(chunks.map(({ choices }) => choices[0]?.finish_reason)).toEqual([null, null, null, "stop"]);
    expect(chunks.every((chunk) => chunk.object === "chat.completion.chunk" && !("usage" in chunk))).toBe(true);
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
  });

  it("sends usage in a separate last chunk, and null before it", async () => {
    const surface = await startSurface(openaiSurface);
    const chunks = await chunksOf(surface, echo({ deltas: ["a"] }, { stream_options: { include_usage: true } }));
    expect(chunks.slice(0, -1).map((chunk) => chunk.usage)).toEqual([null, null, null]);
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 1 } });
  });

  it("numbers tool calls and sends id and name only in the first delta of each", async () => {
    const surface = await startSurface(openaiSurface);
    const tool_calls = [
      { id: "c1", name: "f", arguments: '{"a":1}', fragments: 2 },
      { id: "c2", name: "g", arguments: "{}" },
    ];
    const tools = ["f", "g"].map((name) => ({ type: "function", function: { name } }));
    const chunks = await chunksOf(surface, echo({ text: "so", tool_calls }, { tools }));
    expect(chunks.flatMap(({ choices }) => choices[0]?.delta.tool_calls ?? [])).toEqual([
      { index: 0, id: "c1", type: "function", function: { name: "f", arguments: '{"a"' } },
      { index: 0, function: { arguments: ":1}" } },
      // An empty object waits for the end: real arguments could follow.
      { index: 1, id: "c2", type: "function", function: { name: "g", arguments: "" } },
      { index: 1, function: { arguments: "{}" } },
    ]);
  });

  it("streams every choice with its index", async () => {
    const surface = await startSurface(openaiSurface);
    const choices = [{ deltas: ["a", "b"] }, { deltas: ["c"] }];
    const chunks = await chunksOf(surface, echo({ choices }, { n: 2 }));
    const texts = ["", ""];
    for (const { index, delta } of chunks.flatMap((chunk) => chunk.choices)) texts[index] += `${delta.content ?? ""}`;
    expect(texts).toEqual(["ab", "c"]);
    const roles = chunks.flatMap((chunk) => chunk.choices).filter(({ delta }) => delta.role !== undefined);
    expect(roles.map(({ index }) => index)).toEqual([0, 1]);
  });

  it("streams log probabilities in the chunk of their text", async () => {
    const surface = await startSurface(openaiSurface);
    const chunks = await chunksOf(surface, echo({ deltas: ["a"] }, { logprobs: true }));
    expect(chunks.map(({ choices }) => choices[0]?.logprobs)).toMatchObject([
      null,
      { content: [{ token: "a", top_logprobs: [] }], refusal: null },
      null,
    ]);
  });

  it("ends a failed stream with an error and without [DONE]", async () => {
    const surface = await startSurface(openaiSurface);
    const fail = { after: 1, reason: "PROVIDER_STREAM_INTERRUPTED" };
    const { data } = await readEvents(await surface.post(echo({ deltas: ["a", "b"], fail }, { stream: true })));
    expect(JSON.parse(data.at(-1) ?? "")).toMatchObject({
      error: { type: "service_unavailable_error", code: "provider_stream_interrupted" },
    });
    expect(data).not.toContain("[DONE]");
    expect(surface.records).toMatchObject([{ outcome: "failed", reason: "PROVIDER_STREAM_INTERRUPTED" }]);
  });
});

describe("Cerebras' response", () => {
  const time_info = { queue_time: 0.001, prompt_time: 0.002, completion_time: 0.25, total_time: 0.5, created: 7 };
  const { stream, whole } = upstreamFor("cerebras", {
    usage,
    time_info,
    system_fingerprint: "fp_1",
    service_tier: "flex",
  });
  const body = { model: "llama3.1-8b", messages: user("hi") };

  it("sends reasoning, times in seconds and the requested model name", async () => {
    await using upstream = await startReplayUpstream(whole);
    const surface = await startSurface(cerebrasSurface, environmentFor("CEREBRAS", upstream.baseUrl));
    const answer = await answerOf(surface, body);
    expect(answer).toMatchObject({
      object: "chat.completion",
      model: "llama3.1-8b",
      system_fingerprint: "fp_1",
      usage,
    });
    expect(answer.choices).toEqual([
      { index: 0, message: { role: "assistant", content: "hello", reasoning: "hm" }, finish_reason: "stop" },
    ]);
    const { created, ...times } = answer.time_info;
    expect(times).toEqual({ queue_time: 0.001, prompt_time: 0.002, completion_time: 0.25, total_time: 0.5 });
    expect(created).toBe(answer.created);
    expect(JSON.parse(upstream.requests[0]?.body ?? "")).toMatchObject({
      model: "llama3.1-8b",
      temperature: 1,
      top_p: 1,
    });
  });

  it("sends service_tier_used if the request's tier is auto", async () => {
    await using upstream = await startReplayUpstream(whole);
    const surface = await startSurface(cerebrasSurface, environmentFor("CEREBRAS", upstream.baseUrl));
    expect(await answerOf(surface, { ...body, service_tier: "auto" })).toMatchObject({
      service_tier: "auto",
      service_tier_used: "flex",
    });
  });

  it("streams a role without text first, and finish reason, usage and times last", async () => {
    await using upstream = await startReplayUpstream(stream);
    const surface = await startSurface(cerebrasSurface, environmentFor("CEREBRAS", upstream.baseUrl));
    const chunks = await chunksOf(surface, { ...body, stream_options: { include_usage: true } });
    expect(chunks[0]?.choices[0]?.delta).toEqual({ role: "assistant", content: null });
    expect(chunks.map(({ choices }) => choices[0]?.delta.reasoning ?? "").join("")).toBe("hm");
    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? "").join("")).toBe("hello");
    const last = chunks.at(-1);
    expect(last?.choices[0]?.finish_reason).toBe("stop");
    expect(last).toMatchObject({ usage, time_info: { total_time: 0.5 }, system_fingerprint: "fp_1" });
    expect(chunks.slice(0, -1).every((chunk) => !("usage" in chunk))).toBe(true);
  });

  it("omits usage and times from a stream only if include_usage is false", async () => {
    await using upstream = await startReplayUpstream(stream);
    const surface = await startSurface(cerebrasSurface, environmentFor("CEREBRAS", upstream.baseUrl));
    const chunks = await chunksOf(surface, { ...body, stream_options: { include_usage: false } });
    expect(chunks.every((chunk) => !("usage" in chunk) && !("time_info" in chunk))).toBe(true);
    const last = (await chunksOf(surface, body)).at(-1);
    expect(last).toMatchObject({ usage: expect.anything(), time_info: expect.anything() });
  });
});

/** Two names of Cerebras and DeepInfra and a new name, configured at the echo provider. */
const moved = `
models:
  llama3.1-8b: {provider: echo, provider_model: echo}
  meta-llama/Llama-2-70b-chat-hf: {provider: echo, provider_model: echo}
  house/model: {provider: echo, provider_model: echo, profile: deepinfra}
`;

it.each([
  [cerebrasSurface, "llama3.1-8b"],
  [deepinfraSurface, "meta-llama/Llama-2-70b-chat-hf"],
  [deepinfraSurface, "house/model"],
])("serves a name at the provider that the configuration sets: $name %s", async (surface, model) => {
  const served = await startSurface(surface, { yaml: moved });
  const answer = await answerOf(served, { model, messages: user("hello there") });
  expect(answer).toMatchObject({ model, choices: [{ message: { content: "hello there" } }] });
});

describe("parts without a field in an API", () => {
  const translated = (surface: ChatSurface) =>
    surface.translate(
      { model: "m", messages: user("hi") },
      { parameters: {}, headers: new Headers(), catalog: noModels },
    );
  const rejected = [started(), refusalDelta(0, 0, "I cannot"), finished(0, FinishReason.STOP, "stop"), completed()];

  it.each([
    [openaiSurface, { content: null, refusal: "I cannot" }],
    [cerebrasSurface, { content: "I cannot" }],
    [deepinfraSurface, { content: "I cannot" }],
  ])("sends a refusal in refusal, or in content if the API has no such field: $name", (surface, message) => {
    const fold = createFold();
    for (const event of rejected) fold.add(event);
    expect(translated(surface).toResponse(fold.completion)).toMatchObject({ choices: [{ message }] });
    const translate = translated(surface).createStream();
    const texts = rejected.flatMap((event) => translate(event, "")).map((chunk) => JSON.stringify(chunk));
    expect(texts.filter((text) => text.includes("I cannot"))).toHaveLength(1);
  });

  it("omits deltas that have only provider state", () => {
    const translate = translated(openaiSurface).createStream();
    translate(started(), "");
    expect(translate(reasoningDelta(0, 0, ""), "")).toEqual([]);
  });
});

it("sends a choice's held finish reason before the next delta of another choice", () => {
  const body = { model: "m", messages: user("hi"), n: 2 };
  const translate = deepinfraSurface
    .translate(body, { parameters: {}, headers: new Headers(), catalog: noModels })
    .createStream();
  translate(started(), "");
  expect(translate(finished(0, FinishReason.STOP, "stop"), "")).toEqual([]);
  expect(translate(textDelta(1, 0, "a"), "")).toMatchObject([
    { data: { choices: [{ index: 0, finish_reason: "stop" }] } },
    { data: { choices: [{ index: 1, delta: { content: "a" } }] } },
  ]);
});

describe("Cerebras' log probabilities", () => {
  const token = (text: string) => ({ token: text, logprob: -0.5, bytes: null, top_logprobs: [] });
  const choice = {
    ...{ index: 0, message: { role: "assistant", content: "x", reasoning: "hm" }, finish_reason: "stop" },
    ...{ logprobs: { content: [token("x")] }, reasoning_logprobs: { content: [token("hm")] } },
  };
  const whole = {
    headers: { "content-type": "application/json" },
    steps: [{ write: JSON.stringify({ choices: [choice], usage }) }],
  };

  it.each([
    ["parsed", { logprobs: { content: [token("x")] }, reasoning_logprobs: { content: [token("hm")] } }],
    ["text_parsed", { logprobs: { content: [token("hm"), token("x")] } }],
  ])("separates or merges reasoning log probabilities for reasoning_format %s", async (reasoning_format, expected) => {
    await using upstream = await startReplayUpstream(whole);
    const surface = await startSurface(cerebrasSurface, environmentFor("CEREBRAS", upstream.baseUrl));
    const { choices } = await answerOf(surface, {
      ...{ model: "gpt-oss-120b", messages: user("hi"), reasoning_format },
      logprobs: true,
    });
    expect(choices).toEqual([{ index: 0, message: choice.message, finish_reason: "stop", ...expected }]);
  });
});

describe("DeepInfra's response", () => {
  const paid = { ...usage, estimated_cost: 0.000_25 };
  const { stream, whole } = upstreamFor("deepinfra", { usage: paid });
  const body = { model: "meta-llama/Llama-2-70b-chat-hf", messages: user("hi") };

  it("sends estimated_cost and reasoning_content", async () => {
    await using upstream = await startReplayUpstream(whole);
    const surface = await startSurface(deepinfraSurface, environmentFor("DEEPINFRA", upstream.baseUrl));
    const answer = await answerOf(surface, body);
    expect(answer).toMatchObject({ model: body.model, usage: paid });
    expect(answer.choices[0]?.message).toEqual({ role: "assistant", content: "hello", reasoning_content: "hm" });
    expect(answer).not.toHaveProperty("service_tier");
  });

  it("sends the tier default if the provider reports no tier", async () => {
    await using upstream = await startReplayUpstream(whole);
    const surface = await startSurface(deepinfraSurface, environmentFor("DEEPINFRA", upstream.baseUrl));
    expect(await answerOf(surface, { ...body, service_tier: "priority" })).toMatchObject({ service_tier: "default" });
  });

  it("streams usage with the finish reason by default", async () => {
    await using upstream = await startReplayUpstream(stream);
    const surface = await startSurface(deepinfraSurface, environmentFor("DEEPINFRA", upstream.baseUrl));
    const chunks = await chunksOf(surface, body);
    expect(chunks.filter((chunk) => "usage" in chunk)).toEqual([chunks.at(-1)]);
    expect(chunks.at(-1)).toMatchObject({ usage: paid, choices: [{ finish_reason: "stop" }] });
  });

  it("omits usage from a stream if include_usage is false", async () => {
    await using upstream = await startReplayUpstream(stream);
    const surface = await startSurface(deepinfraSurface, environmentFor("DEEPINFRA", upstream.baseUrl));
    const chunks = await chunksOf(surface, { ...body, stream_options: { include_usage: false } });
    expect(chunks.every((chunk) => !("usage" in chunk))).toBe(true);
  });

  it("streams usage that never decreases if continuous_usage_stats is set", async () => {
    await using upstream = await startReplayUpstream(stream);
    const surface = await startSurface(deepinfraSurface, environmentFor("DEEPINFRA", upstream.baseUrl));
    const chunks = await chunksOf(surface, { ...body, stream_options: { continuous_usage_stats: true } });
    const totals = chunks.map((chunk) => chunk.usage?.total_tokens ?? Number.NaN);
    expect(totals).toEqual(totals.toSorted((a, b) => a - b));
    expect(chunks.at(-1)?.usage).toEqual(paid);
  });
});
