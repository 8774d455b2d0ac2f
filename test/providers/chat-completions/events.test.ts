import { afterEach, describe, expect, it } from "vitest";
import type { ChatEvent } from "../../../src/chat/stream/events.ts";
import { FinishReason } from "../../../src/gen/dragoman/v1/completion_pb.js";
import { ReasoningFormat } from "../../../src/gen/dragoman/v1/reasoning_pb.js";
import { UsageQuality } from "../../../src/gen/dragoman/v1/usage_pb.js";
import { endEvents, toEvents } from "../../../src/providers/chat-completions/events.ts";
import { chatUsage } from "../../../src/providers/chat-completions/usage.ts";
import { EventDecoder } from "../../../src/upstream/sse.ts";
import { streamFrom } from "../../support/attempt.ts";
import { startReplayUpstream } from "../../support/replay-upstream.ts";
import { adapter, brief, collect, context, emptyAnswer, fixture, model, request } from "./harness.ts";

const closers: (() => PromiseLike<unknown> | undefined)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function answer(body: string | readonly string[], contentType = "text/event-stream", asked = request()) {
  const steps = [body].flat().map((write) => ({ write }));
  const headers = { "content-type": contentType, "x-request-id": "req_9" };
  const upstream = await startReplayUpstream({ headers, steps });
  const provider = adapter(upstream.baseUrl);
  closers.push(
    () => provider.close?.(),
    () => upstream[Symbol.asyncDispose](),
  );
  const { attempt, events } = streamFrom(provider, asked, model());
  return { ...(await collect(events)), attempt };
}

/** Returns the events of a stream of chunks, without a network. */
function read(...chunks: readonly object[]): readonly string[] {
  const state = emptyAnswer();
  const batch: ChatEvent[] = [];
  for (const chunk of chunks) toEvents(state, { data: JSON.stringify(chunk) }, batch);
  endEvents(state, batch);
  return brief(batch);
}

const delta = (fields: object) => ({ choices: [{ index: 0, delta: fields }] });
const call = (fields: object) => delta({ tool_calls: [fields] });
const finish = (reason: string) => ({ choices: [{ index: 0, delta: {}, finish_reason: reason }] });

describe("a stream of OpenAI", () => {
  it("yields text, one finish, and usage whose totals include their parts", async () => {
    const { events, error, attempt } = await answer(fixture("text.sse"));
    expect(error).toBeUndefined();
    expect(brief(events)).toEqual([
      "started",
      "text 0.0 Grüße, ",
      "text 0.0 世界 🌍",
      `finished 0 ${FinishReason.STOP} stop`,
      "completed",
    ]);
    expect(events.at(-1)?.value).toMatchObject({
      serviceTier: "default",
      systemFingerprint: "fp_1",
      usage: {
        inputTokens: 9,
        outputTokens: 5,
        totalTokens: 14,
        cachedInputTokens: 3,
        reasoningTokens: 2,
        acceptedPredictionTokens: 1,
        rejectedPredictionTokens: 4,
        quality: UsageQuality.EXACT,
      },
    });
    expect(attempt).toMatchObject({ httpStatus: 200, providerRequestId: "req_9", providerResponseId: "chatcmpl-A1" });
  });

  it("yields each parallel tool call as a part, with {} if it has no arguments", async () => {
    expect(brief((await answer(fixture("parallel-tools.sse"))).events)).toEqual([
      "started",
      "toolCall 0.0 call_a weather",
      'toolCall 0.0 {"city":',
      'toolCall 0.0 "Oslo"}',
      "toolCall 0.1 call_b time",
      "toolCall 0.1 {}",
      `finished 0 ${FinishReason.TOOL_CALLS} tool_calls`,
      "completed",
    ]);
  });

  it("yields a refusal as a part, and keeps the provider's finish reason", async () => {
    expect(brief((await answer(fixture("refusal.sse"))).events)).toEqual([
      "started",
      "refusal 0.0 I can't",
      "refusal 0.0  help.",
      `finished 0 ${FinishReason.CONTENT_FILTER} stop`,
      "completed",
    ]);
  });

  it("yields log probabilities with the delta of their tokens", async () => {
    const { events } = await answer(fixture("logprobs.sse"));
    expect(events[1]?.value).toMatchObject({
      delta: { case: "text", value: "Hi" },
      logprobs: {
        tokens: [
          {
            token: "Hi",
            logprob: -0.25,
            bytes: Uint8Array.of(72, 105),
            topLogprobs: [{ token: "Hi" }, { token: "Yo", logprob: -9999 }],
          },
        ],
      },
    });
  });

  it("separates several choices", async () => {
    expect(brief((await answer(fixture("two-choices.sse"))).events)).toEqual([
      "started",
      "text 1.0 b",
      "text 0.0 a",
      "text 1.0 B",
      `finished 0 ${FinishReason.LENGTH} length`,
      `finished 1 ${FinishReason.STOP} stop`,
      "completed",
    ]);
  });
});

describe("a stream of another server", () => {
  it("accepts a missing [DONE], repeated usage, and reasoning in two fields", async () => {
    const { events, error } = await answer(fixture("vllm-reasoning.sse"));
    expect(error).toBeUndefined();
    expect(brief(events)).toEqual([
      "started",
      "reasoning 0.0 Think",
      "text 0.1 So",
      "text 0.1 .",
      `finished 0 ${FinishReason.STOP} stop`,
      "completed",
    ]);
    expect(events.at(-2)?.value).toMatchObject({ matchedStopSequence: "END" });
    expect(events.at(-1)?.value).toMatchObject({ usage: { inputTokens: 4, outputTokens: 2, totalTokens: 6 } });
  });

  it("drops the reasoning if the request hides it", async () => {
    const asked = request({ reasoning: { format: ReasoningFormat.HIDDEN } });
    const { events } = await answer(fixture("vllm-reasoning.sse"), "text/event-stream", asked);
    expect(brief(events)).toEqual([
      "started",
      "text 0.0 So",
      "text 0.0 .",
      `finished 0 ${FinishReason.STOP} stop`,
      "completed",
    ]);
  });

  it("accepts a JSON body instead of a stream", async () => {
    expect(brief((await answer(`\n\n${fixture("whole.json")}`, "application/json")).events)).toEqual([
      "started",
      "text 0.0 Hi",
      "toolCall 0.1 call_w weather",
      "toolCall 0.1 {}",
      `finished 0 ${FinishReason.TOOL_CALLS} tool_calls`,
      "completed",
    ]);
  });

  it("reports an interruption if the stream breaks off before a finish reason", async () => {
    const cut = 'data: {"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}]}\n\n';
    const { events, error } = await answer(cut);
    expect(brief(events)).toEqual(["started", "text 0.0 Hi"]);
    expect(error).toMatchObject({
      reason: "PROVIDER_STREAM_INTERRUPTED",
      facts: { provider: { outputStarted: true } },
    });
    expect((await answer("")).error?.reason).toBe("PROVIDER_STREAM_INTERRUPTED");
  });

  it.each([{ finish_reason: null }, { finish_reason: "" }, {}])("infers the finish reason from %o", async (end) => {
    const { length } = "Hi";
    const usage = { prompt_tokens: 9, completion_tokens: length, total_tokens: 9 + length };
    const chunk = (delta: object) => ({ choices: [{ index: 0, delta, ...end }], usage });
    const whole = (message: object) => JSON.stringify({ choices: [{ index: 0, message, ...end }], usage });
    const tool_calls = [{ index: 0, id: "a", function: { name: "f", arguments: "{}" } }];
    const full = request({ parameters: { maxOutputTokens: length } });
    for (const [message, asked, reason] of [
      [{ content: "Hi" }, request(), FinishReason.STOP],
      [{ content: "Hi", tool_calls }, request(), FinishReason.TOOL_CALLS],
      [{ content: "Hi" }, full, FinishReason.LENGTH],
      [{ refusal: "No" }, request(), FinishReason.CONTENT_FILTER],
    ] as const) {
      const streamed = await answer(`data: ${JSON.stringify(chunk(message))}\n\ndata: [DONE]\n\n`, undefined, asked);
      const inOnePiece = await answer(whole(message), "application/json", asked);
      for (const { events, error } of [streamed, inOnePiece]) {
        expect(error).toBeUndefined();
        expect(events.at(-2)?.value).toMatchObject({ finishReason: reason, providerFinishReason: "" });
        expect(events.at(-1)?.value).toMatchObject({ warnings: [{ reason: "INFERRED" }] });
      }
    }
  });

  it("reports an invalid response, for which a retry is no use, if a stream without output ends with [DONE]", async () => {
    expect((await answer("data: [DONE]\n\n")).error).toMatchObject({
      reason: "PROVIDER_FAULT",
      status: "INTERNAL",
      message: "the provider's response is malformed: it ends without a finish reason",
    });
  });

  it("accepts missing, null and empty fields", () => {
    expect(
      read(
        {},
        { choices: null },
        { choices: [] },
        { choices: [{}] },
        { choices: [{ index: 0, delta: null, finish_reason: "" }] },
        delta({ role: null, content: "", tool_calls: [], refusal: null }),
        delta({ content: "a" }),
        finish("eos"),
        delta({ content: "late" }),
      ),
    ).toEqual(["text 0.0 a", "text 0.0 late", `finished 0 ${FinishReason.STOP} eos`, "completed"]);
  });

  it.each([
    ["eos", FinishReason.STOP],
    ["end_turn", FinishReason.STOP],
    ["complete", FinishReason.STOP],
    ["max_tokens", FinishReason.LENGTH],
    ["model_length", FinishReason.LENGTH],
    ["function_call", FinishReason.TOOL_CALLS],
    ["tool_use", FinishReason.TOOL_CALLS],
    ["safety", FinishReason.CONTENT_FILTER],
    ["sensitive", FinishReason.CONTENT_FILTER],
    ["MAX_TOKENS", FinishReason.LENGTH],
    ["load", FinishReason.OTHER],
    ["constructor", FinishReason.OTHER],
  ])("maps %s to the finish reason %i", async (finish_reason, reason) => {
    const tool_calls = [{ index: 0, id: "a", function: { name: "f", arguments: "{}" } }];
    const called = reason === FinishReason.TOOL_CALLS ? { tool_calls } : {};
    const chunk = { choices: [{ index: 0, delta: { content: "a", ...called }, finish_reason }] };
    const { events } = await answer(`data: ${JSON.stringify(chunk)}\n\n`);
    expect(brief(events)).toContain(`finished 0 ${reason} ${finish_reason}`);
  });

  it.each([
    ["Ollama's JSON without a field name", '{"error":"model runner has unexpectedly stopped"}'],
    ["llama.cpp's field of another name", 'error: {"code":500,"message":"gone","type":"server_error"}'],
  ])("reports an interruption for an error line outside of SSE data: %s", async (_what, line) => {
    const { events, error } = await answer(`data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n${line}\n\n`);
    expect(brief(events)).toEqual(["started", "text 0.0 a"]);
    expect(error?.reason).toBe("PROVIDER_STREAM_INTERRUPTED");
  });

  it("joins the texts of content in parts, and keeps the other parts as metadata", () => {
    const others = [{ type: "text", text: null }, { type: "text", text: 5 }, "b"];
    const state = emptyAnswer();
    const batch: ChatEvent[] = [];
    const content = [{ type: "text", text: "a" }, ...others, { type: "text", text: "c" }];
    for (const chunk of [delta({ content }), finish("stop")]) toEvents(state, { data: JSON.stringify(chunk) }, batch);
    endEvents(state, batch);
    const [text] = brief(batch).filter((line) => line.startsWith("text"));
    expect(text).toBe("text 0.0 ac");
    const end = batch.find((event) => event.case === "finished");
    expect(JSON.parse(end?.value.providerMetadataJson ?? "{}")).toEqual({ content: others });
  });

  it("maps unknown finish reasons to OTHER", () => {
    expect(read(delta({ content: "a" }), finish("load"))).toContain(`finished 0 ${FinishReason.OTHER} load`);
    expect(read(delta({ content: "a" }), finish("toString"))).toContain(`finished 0 ${FinishReason.OTHER} toString`);
  });
});

describe("choices", () => {
  it("may be 128, the maximum that a request may ask for", () => {
    const choices = Array.from({ length: 128 }, (_, index) => ({
      index,
      delta: { content: "a" },
      finish_reason: "stop",
    }));
    expect(read({ choices }).filter((line) => line.startsWith("text"))).toHaveLength(128);
    const more = [...choices, { index: 128, delta: {} }];
    expect(() => read({ choices: more })).toThrow("it has more than 128 choices");
  });

  it.each([
    [[{}, {}, {}]],
    [[{ index: 0 }, { index: 0 }, { index: 0 }]],
    [[{ index: 0 }, {}, { index: 2 }]],
  ])("of a whole response stay apart if their indices are %j", (fields) => {
    const state = { ...emptyAnswer(), isWhole: true };
    const batch: ChatEvent[] = [];
    const choices = fields.map((own, place) => ({ ...own, message: { content: `t${place}` }, finish_reason: "stop" }));
    toEvents(state, { data: JSON.stringify({ choices }) }, batch);
    endEvents(state, batch);
    expect(brief(batch).filter((line) => line.startsWith("text"))).toEqual([
      "text 0.0 t0",
      "text 1.0 t1",
      "text 2.0 t2",
    ]);
  });
});

describe("usage", () => {
  const counts = (prompt: number, completion: number) => ({
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
  });
  const usageOf = (...chunks: readonly object[]) => {
    const state = emptyAnswer();
    const batch: ChatEvent[] = [];
    for (const chunk of chunks) toEvents(state, { data: JSON.stringify(chunk) }, batch);
    endEvents(state, batch);
    const last = batch.at(-1);
    return last?.case === "completed" ? last.value : expect.fail();
  };

  it("in the only choice of a response is its usage", () => {
    const choice = { index: 0, delta: {}, finish_reason: "stop", usage: counts(19, 13) };
    const { usage } = usageOf(delta({ content: "Hi" }), { choices: [choice] });
    expect(usage).toMatchObject({ inputTokens: 19, outputTokens: 13, quality: UsageQuality.EXACT });
  });

  it("of events that count only themselves is added up, as an estimate", () => {
    const { usage } = usageOf(
      { ...delta({ content: "a" }), usage: counts(5, 1) },
      { ...delta({ content: "b" }), usage: counts(0, 1) },
      { ...finish("stop"), usage: counts(0, 1) },
    );
    expect(usage).toMatchObject({ inputTokens: 5, outputTokens: 3, quality: UsageQuality.ESTIMATED });
  });
});

describe("tool call deltas", () => {
  const calls = (...fragments: readonly object[]) =>
    read(...fragments.map(call), finish("tool_calls")).filter((line) => line.startsWith("toolCall"));

  it("matches a delta by id, even with another index", () => {
    expect(
      calls(
        { index: 0, id: "a", function: { name: "f", arguments: "1" } },
        { index: 1, id: "b", function: { name: "g", arguments: "2" } },
        { index: 1, id: "a", function: { arguments: "3" } },
      ),
    ).toEqual(["toolCall 0.0 a f 1", "toolCall 0.1 b g 2", "toolCall 0.0 3"]);
  });

  it("begins a new call for a new id with an index in use", () => {
    expect(
      calls(
        { index: 0, id: "a", function: { name: "f", arguments: "1" } },
        { index: 0, id: "b", function: { name: "f", arguments: "2" } },
        { index: 0, function: { arguments: "3" } },
      ),
    ).toEqual(["toolCall 0.0 a f 1", "toolCall 0.1 b f 2", "toolCall 0.1 3"]);
  });

  it("continues the latest call for a delta without id and index", () => {
    expect(
      calls(
        { id: "a", function: { name: "f", arguments: "[" } },
        { id: "", index: null, function: { name: "", arguments: "]" } },
        { index: 7, function: { arguments: " " } },
      ),
    ).toEqual(["toolCall 0.0 a f [", "toolCall 0.0 ]", "toolCall 0.0  "]);
  });

  it.each([
    ["in pieces", ["get_", "wea", "ther"], "get_weather"],
    ["whole, then repeated", ["get_weather", "get_weather"], "get_weather"],
    ["each time with more", ["get_", "get_weather"], "get_weather"],
    ["of another tool whose name begins alike", ["get_weather"], "get_weather"],
    ["of the longer tool, in pieces", ["get_weather", "_at"], "get_weather_at"],
    ["that no tool has, in pieces", ["get_", "wind"], "get_wind"],
    ["that no tool has, whole, then repeated", ["look", "look"], "look"],
  ])("joins a name that is sent %s", (_, pieces, name) => {
    const state = { ...emptyAnswer(), functionNames: ["get_weather", "get_weather_at"] };
    const batch: ChatEvent[] = [];
    const fragments = [
      ...pieces.map((piece) => ({ index: 0, id: "a", function: { name: piece, arguments: "" } })),
      { index: 0, function: { arguments: "[]" } },
    ];
    for (const fragment of fragments) toEvents(state, { data: JSON.stringify(call(fragment)) }, batch);
    toEvents(state, { data: JSON.stringify(finish("tool_calls")) }, batch);
    endEvents(state, batch);
    const lines = brief(batch).filter((line) => line.startsWith("toolCall"));
    expect(lines.join("").replaceAll("toolCall 0.0", "")).toBe(` a ${name} []`);
  });

  it("keeps the order of calls without arguments whose names could go on", () => {
    const state = { ...emptyAnswer(), functionNames: ["get", "get_all"] };
    const batch: ChatEvent[] = [];
    for (const id of ["a", "b"]) {
      const fragment = { index: id === "a" ? 0 : 1, id, function: { name: "get", arguments: "" } };
      toEvents(state, { data: JSON.stringify(call(fragment)) }, batch);
    }
    expect(brief(batch)).toEqual(["toolCall 0.0 a get"]);
    toEvents(state, { data: JSON.stringify(finish("tool_calls")) }, batch);
    endEvents(state, batch);
    expect(brief(batch).slice(1, 3).sort()).toEqual(["toolCall 0.0 {}", "toolCall 0.1 b get {}"]);
  });

  it("does not repeat a call's name, and generates a missing id", () => {
    const lines = calls(
      { index: 1, function: { name: "f", arguments: "" } },
      { index: 1, function: { name: "f", arguments: { city: "Oslo" } } },
    );
    expect(lines).toEqual([
      expect.stringMatching(/^toolCall 0\.0 call_[0-9a-f]{32} f$/),
      'toolCall 0.0 {"city":"Oslo"}',
    ]);
  });

  it.each(["message", "delta"])("keeps the digits of arguments that are JSON and not its text, in a %s", (name) => {
    const json = '{"id":9007199254740993,"much":1e400,"one":1.0,"none":-0,"text":"\\\\\\ud83d"}';
    const state = { ...emptyAnswer(), isWhole: name === "message" };
    const batch: ChatEvent[] = [];
    const toolCalls = [json, "[1]", "true", "null"].map(
      (text, index) => `{"index":${index},"id":${index},"function":{"name":"f","arguments": ${text}}}`,
    );
    const message = `{"content":"\\"arguments\\":[","tool_calls":[${toolCalls}]}`;
    const data = `{"choices":[{"index":0,"${name}":${message},"finish_reason":"tool_calls"}]}`;
    toEvents(state, { data }, batch);
    endEvents(state, batch);
    expect(brief(batch).filter((line) => line.startsWith("toolCall"))).toEqual([
      `toolCall 0.1 0 f ${json}`,
      "toolCall 0.2 1 f [1]",
      "toolCall 0.3 2 f true",
      "toolCall 0.4 3 f",
      "toolCall 0.4 {}",
    ]);
  });

  it("gives an id without a name to the call in progress", () => {
    const lines = calls(
      { index: 0, function: { name: "f", arguments: "" } },
      { index: 0, id: "a", function: { arguments: '{"x"' } },
      { index: 0, id: "b", function: { arguments: ":1}" } },
    );
    expect(lines).toEqual([
      expect.stringMatching(/^toolCall 0\.0 call_[0-9a-f]{32} f$/),
      'toolCall 0.0 {"x"',
      "toolCall 0.0 :1}",
    ]);
  });

  it("reads the index of a call as text", () => {
    const lines = calls(
      { index: "0", id: "a", function: { name: "f", arguments: "{" } },
      { index: "1", id: "b", function: { name: "f", arguments: "{" } },
      { index: "0", function: { arguments: "}" } },
    );
    expect(lines).toEqual(["toolCall 0.0 a f {", "toolCall 0.1 b f {", "toolCall 0.0 }"]);
  });

  it("treats complete calls without id and index as separate calls", () => {
    const lines = calls(
      { function: { name: "f", arguments: '{"a":1}' } },
      { function: { name: "f", arguments: '{"a":2}' } },
    );
    expect(lines).toHaveLength(2);
    expect(lines[1]).toMatch(/^toolCall 0\.1 call_\w+ f \{"a":2\}$/);
  });

  it.each([
    ["a new index", { index: 0 }, { index: 1 }],
    ["the same index", { index: 0 }, { index: 0 }],
    ["no index", {}, {}],
  ])("begins a new call for a known id with a name and %s", (_, first, second) => {
    const lines = calls(
      { ...first, id: "a", function: { name: "f", arguments: '{"a":1}' } },
      { ...second, id: "a", function: { name: "f", arguments: '{"b":' } },
      { ...second, id: "a", function: { arguments: "2}" } },
    );
    expect(lines).toEqual(['toolCall 0.0 a f {"a":1}', 'toolCall 0.1 a f {"b":', "toolCall 0.1 2}"]);
  });

  it("continues a call for its id with a repeated name", () => {
    const fragment = (json: string) => ({ id: "a", index: 0, function: { name: "f", arguments: json } });
    expect(calls(fragment("{"), fragment('"a":1'), fragment("}"), fragment(""))).toEqual([
      "toolCall 0.0 a f {",
      'toolCall 0.0 "a":1',
      "toolCall 0.0 }",
    ]);
  });

  it("reads the deprecated function_call, unless the server also sends tool_calls", () => {
    const streamed = read(
      delta({ role: "assistant", content: null, function_call: { name: "f", arguments: "" } }),
      delta({ function_call: { arguments: '{"a":' } }),
      delta({ function_call: { arguments: "1}" } }),
      finish("function_call"),
    );
    expect(streamed).toEqual([
      expect.stringMatching(/^toolCall 0\.0 call_[0-9a-f]{32} f$/),
      'toolCall 0.0 {"a":',
      "toolCall 0.0 1}",
      `finished 0 ${FinishReason.TOOL_CALLS} function_call`,
      "completed",
    ]);
    const twice = { name: "f", arguments: "{}" };
    const both = delta({ tool_calls: [{ id: "a", index: 0, function: twice }], function_call: twice });
    expect(read(both, finish("tool_calls")).filter((line) => line.startsWith("toolCall"))).toEqual([
      "toolCall 0.0 a f {}",
    ]);
  });

  it("reads each entry of a whole response as a call, whatever their ids and indexes", async () => {
    const entries = [1, 2].map((n) => ({ id: "a", index: 0, function: { name: "f", arguments: `{"n":${n}}` } }));
    const message = { role: "assistant", content: null, tool_calls: entries };
    const body = JSON.stringify({ choices: [{ index: 0, message, finish_reason: "tool_calls" }] });
    const lines = brief((await answer(body, "application/json")).events).filter((line) => line.startsWith("toolCall"));
    expect(lines).toEqual(['toolCall 0.0 a f {"n":1}', 'toolCall 0.1 a_2 f {"n":2}']);
  });

  it("holds a call back until its name, and fails if it gets none", () => {
    expect(calls({ index: 0, id: "a", function: { arguments: "1" } }, { index: 0, function: { name: "f" } })).toEqual([
      "toolCall 0.0 a f 1",
    ]);
    expect(() => calls({ index: 0, id: "a", function: { arguments: "1" } })).toThrow("has no name");
  });
});

const toUsage = (usage: object) => chatUsage.toUsage(chatUsage.add(undefined, usage));

describe("usage", () => {
  it("adds reasoning that the completion tokens do not include", () => {
    const xai = {
      prompt_tokens: 12,
      completion_tokens: 1,
      total_tokens: 303,
      completion_tokens_details: { reasoning_tokens: 290 },
    };
    expect(toUsage(xai)).toMatchObject({ inputTokens: 12, outputTokens: 291, totalTokens: 303, reasoningTokens: 290 });
    const small = { prompt_tokens: 10, completion_tokens: 20, total_tokens: 35, reasoning_tokens: 5 };
    expect(toUsage(small)).toMatchObject({ outputTokens: 25, totalTokens: 35, reasoningTokens: 5 });
  });

  it.each([
    // Mistral, Moonshot, and Gemini's OpenAI-compatible API.
    [{ prompt_tokens: 997, completion_tokens: 5, total_tokens: 1002, num_cached_tokens: 976 }, 997, 5, 976],
    [
      { prompt_tokens: 997, completion_tokens: 5, prompt_tokens_details: { cached_tokens: 0 }, cached_tokens: 976 },
      997,
      5,
      976,
    ],
    [{ prompt_tokens: 7, completion_tokens: 12, total_tokens: 402 }, 7, 395, undefined],
    // Claude behind servers that pass on Anthropic's counts.
    [{ prompt_tokens: 21, completion_tokens: 5, total_tokens: 26, cache_read_input_tokens: 976 }, 997, 5, 976],
    [{ prompt_tokens: 21, completion_tokens: 5, total_tokens: 1002, cache_read_input_tokens: 976 }, 997, 5, 976],
    [{ input_tokens: 30, output_tokens: 4, prompt_tokens: 0, completion_tokens: 0 }, 30, 4, undefined],
  ])("reads %o", (usage, inputTokens, outputTokens, cachedInputTokens) => {
    const quality = UsageQuality.EXACT;
    const totalTokens = inputTokens + outputTokens;
    expect(toUsage(usage)).toMatchObject({ inputTokens, outputTokens, totalTokens, quality });
    expect(toUsage(usage)?.cachedInputTokens).toBe(cachedInputTokens);
  });

  it.each([
    ["DeepInfra", { estimated_cost: 0.000012 }, 12_000n],
    ["OpenRouter for a free call", { cost: 0, cost_details: {} }, 0n],
    ["xAI, in ticks", { cost_in_usd_ticks: 37_756_000 }, 3_775_600n],
    ["Perplexity", { cost: { input_tokens_cost: 0.001, request_cost: 0.005, total_cost: 0.006 } }, 6_000_000n],
    ["servers that give another object or nothing", { cost: { usd: 0.1 } }, undefined],
  ])("reports the cost sent by %s", async (_server, cost, nanos) => {
    const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3, ...cost };
    const chunk = { choices: [{ index: 0, delta: { content: "a" }, finish_reason: "stop" }], usage };
    const { events } = await answer(`data: ${JSON.stringify(chunk)}\n\n`);
    const last = events.at(-1);
    expect(last?.case === "completed" && last.value.usage?.cost?.totalNanos).toBe(nanos);
  });

  it("reads the usage from x_groq, and estimates it if there is none", async () => {
    const end = 'data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]';
    const groq = `${end},"x_groq":{"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}}\n\n`;
    expect((await answer(groq)).events.at(-1)?.value).toMatchObject({ usage: { totalTokens: 3 } });
    const quality = UsageQuality.ESTIMATED;
    expect((await answer(`${end}}\n\n`)).events.at(-1)?.value).toMatchObject({ usage: { outputTokens: 1, quality } });
  });
});

describe("an error of a content filter inside a stream", () => {
  it("ends the choices without a finish reason with CONTENT_FILTER, and keeps the reasons of the others", async () => {
    const begun = 'data: {"choices":[{"index":0,"delta":{"content":"On"}},{"index":1,"delta":{"content":"ce"}}]}\n\n';
    const one = 'data: {"choices":[{"index":1,"delta":{},"finish_reason":"stop"}]}\n\n';
    const error = { message: "filtered", code: "content_filter", status: 400, innererror: { code: "x" } };
    for (const place of [{ error }, { choices: [{ index: 0, error, finish_reason: "error" }] }]) {
      const { events, error: failure } = await answer(
        `${begun}${one}data: ${JSON.stringify(place)}\n\ndata: [DONE]\n\n`,
      );
      expect(failure).toBeUndefined();
      const ends = [`finished 0 ${FinishReason.CONTENT_FILTER} content_filter`, `finished 1 ${FinishReason.STOP} stop`];
      expect(brief(events)).toEqual(["started", "text 0.0 On", "text 1.0 ce", ...ends, "completed"]);
    }
  });

  it("keeps the HTTP status that an error object reports", async () => {
    const error = { message: "wrong", status: 400, code: "odd" };
    expect((await answer(`data: ${JSON.stringify({ error })}\n\n`)).error?.reason).toBe("INVALID_REQUEST");
  });
});

describe("a response in arbitrary reads", () => {
  const names = [
    "text.sse",
    "parallel-tools.sse",
    "logprobs.sse",
    "two-choices.sse",
    "refusal.sse",
    "vllm-reasoning.sse",
  ];
  const lineEndings = { LF: "\n", CRLF: "\r\n", CR: "\r" };

  function readBytes(chunks: readonly Uint8Array[]): readonly ChatEvent[] {
    const state = emptyAnswer();
    const decoder = new EventDecoder(state.call);
    const batch: ChatEvent[] = [];
    const events = [...chunks.flatMap((chunk) => decoder.decode([chunk])), ...decoder.end()];
    for (const event of events) toEvents(state, event, batch);
    endEvents(state, batch);
    return batch;
  }

  it.each(
    names.flatMap((name) => Object.entries(lineEndings).map(([ending, end]) => [name, ending, end] as const)),
  )("yields the same events of %s with %s for every split into two reads", (name, _ending, end) => {
    const bytes = new TextEncoder().encode(fixture(name).replaceAll("\n", end));
    const whole = readBytes([bytes]);
    for (let cut = 1; cut < bytes.length; cut++) {
      expect(readBytes([bytes.subarray(0, cut), bytes.subarray(cut)])).toEqual(whole);
    }
  });

  it("yields the same events over the network, one byte per read", async () => {
    const bytes = [...new TextEncoder().encode(fixture("text.sse"))].map((byte) => ({ write: Uint8Array.of(byte) }));
    const upstream = await startReplayUpstream({ steps: bytes });
    const provider = adapter(upstream.baseUrl);
    closers.push(
      () => provider.close?.(),
      () => upstream[Symbol.asyncDispose](),
    );
    const { events } = await collect(provider.stream(request(), model(), context()));
    expect(events).toEqual((await answer(fixture("text.sse"))).events);
  });
});
