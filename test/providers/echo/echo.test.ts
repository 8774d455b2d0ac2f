import { create, type JsonObject, type MessageInitShape } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ChatEvent } from "../../../src/chat/stream/events.ts";
import { createFold } from "../../../src/chat/stream/fold.ts";
import { createStreamValidator } from "../../../src/chat/stream/stream-validator.ts";
import { fieldText, GatewayError } from "../../../src/errors.ts";
import { formatPath } from "../../../src/field-path.ts";
import { AttemptSchema } from "../../../src/gen/dragoman/v1/attempt_pb.js";
import { type ChatRequest, ChatRequestSchema } from "../../../src/gen/dragoman/v1/chat_request_pb.js";
import { type ChatCompletion, FinishReason } from "../../../src/gen/dragoman/v1/completion_pb.js";
import { type PartSchema, Role } from "../../../src/gen/dragoman/v1/message_pb.js";
import { ModelSchema } from "../../../src/gen/dragoman/v1/model_pb.js";
import type { GenerationParametersSchema } from "../../../src/gen/dragoman/v1/parameters_pb.js";
import { ReasoningConfigSchema, ReasoningFormat } from "../../../src/gen/dragoman/v1/reasoning_pb.js";
import { UsageQuality } from "../../../src/gen/dragoman/v1/usage_pb.js";
import { createEcho } from "../../../src/providers/echo/index.ts";
import { echoModels } from "../../../src/providers/echo/models.ts";

const adapter = createEcho();
const model = create(ModelSchema, echoModels[0]);

/** Texts with all kinds of whitespace and characters of one to four bytes. */
const texts = fc.string({
  unit: fc.constantFrom("a", "b", " ", "\n", "\t", "{", '"', "é", "語", "👩‍🚀"),
  maxLength: 40,
});

interface Asked {
  readonly prompt?: string;
  readonly script?: JsonObject;
  readonly parameters?: MessageInitShape<typeof GenerationParametersSchema>;
}

function ask({ prompt = "", script, parameters }: Asked): ChatRequest {
  return create(ChatRequestSchema, {
    model: "echo/echo",
    messages: [user({ case: "text", value: prompt })],
    ...(parameters && { parameters }),
    ...(script && { providerOptions: { echo: script } }),
  });
}

type PartKind = NonNullable<MessageInitShape<typeof PartSchema>["kind"]>;

function user(...kinds: PartKind[]) {
  return { role: Role.USER, parts: kinds.map((kind) => ({ kind })) };
}

function open(request: ChatRequest, signal = new AbortController().signal) {
  const attempt = create(AttemptSchema);
  const batches = adapter
    .stream(request, model, { signal, holder: "account:a", attempt, queue: { waitsFor: undefined } })
    [Symbol.asyncIterator]();
  return { batches, attempt };
}

/** Reads a stream to its end. Returns also the events before an error. */
async function read(request: ChatRequest): Promise<{ batches: (readonly ChatEvent[])[]; error: unknown }> {
  const batches: (readonly ChatEvent[])[] = [];
  try {
    for await (const batch of { [Symbol.asyncIterator]: () => open(request).batches }) batches.push(batch);
  } catch (error) {
    return { batches, error };
  }
  return { batches, error: undefined };
}

/** Reads a complete response, validates it against the stream law, and folds it. */
async function complete(request: ChatRequest): Promise<ChatCompletion> {
  const { batches, error } = await read(request);
  if (error !== undefined) throw error;
  const guard = createStreamValidator();
  const fold = createFold();
  for (const event of batches.flat()) {
    guard.accept(event);
    fold.add(event);
  }
  guard.end();
  return fold.completion;
}

function pieces(batches: readonly (readonly ChatEvent[])[]): string[] {
  return batches.flat().flatMap((event) => {
    if (event.case !== "delta") return [];
    const { delta } = event.value;
    return delta.case === "text" ? [delta.value] : [];
  });
}

function cases(batches: readonly (readonly ChatEvent[])[]): string[] {
  return batches.flat().map((event) => event.case);
}

function kinds(completion: ChatCompletion, index = 0) {
  return completion.choices[index]?.message?.parts.map(({ kind }) => kind);
}

async function refusal(request: ChatRequest): Promise<GatewayError> {
  const { error } = await read(request);
  if (!(error instanceof GatewayError)) throw new Error("the stream did not fail with a GatewayError");
  return error;
}

describe("without a script", () => {
  test("repeats the prompt word by word, each with the whitespace after it", async () => {
    const { batches } = await read(ask({ prompt: "  the quick\n\nbrown fox  " }));
    expect(pieces(batches)).toEqual(["  the ", "quick\n\n", "brown ", "fox  "]);
  });

  test("repeats any text and obeys the stream law", async () => {
    await fc.assert(
      fc.asyncProperty(texts, fc.integer({ min: 1, max: 3 }), async (prompt, n) => {
        const { choices } = await complete(ask({ prompt, parameters: { n } }));
        expect(choices).toHaveLength(n);
        for (const { message } of choices) {
          expect(message?.parts.map(({ kind }) => kind.value).join("")).toBe(prompt);
        }
      }),
    );
  });

  test("returns one finished choice without parts for an empty prompt", async () => {
    const { batches } = await read(ask({ prompt: "" }));
    expect(cases(batches)).toEqual(["started", "finished", "completed"]);
    expect((await complete(ask({ prompt: "" }))).choices[0]?.finishReason).toBe(FinishReason.STOP);
  });

  test("repeats the last user message, with the media type of media", async () => {
    const request = create(ChatRequestSchema, {
      messages: [
        user({ case: "text", value: "earlier" }),
        user(
          { case: "text", value: "look:" },
          { case: "media", value: { source: { case: "data", value: new Uint8Array(3) }, mediaType: "image/png" } },
          { case: "media", value: { source: { case: "url", value: "https://example.com/a" } } },
        ),
        { role: Role.ASSISTANT, parts: [{ kind: { case: "text", value: "seen" } }] },
      ],
    });
    expect(kinds(await complete(request))).toEqual([{ case: "text", value: "look: [image/png] [media]" }]);
  });

  test("repeats a tool result, so that a tool loop ends", async () => {
    const script = JSON.stringify({ echo: { tool_calls: [{ name: "weather", arguments: { city: "Oslo" } }] } });
    const request = ask({ prompt: script });
    const first = await complete(request);
    const call = first.choices[0]?.message?.parts[0]?.kind;
    expect(call).toMatchObject({ case: "toolCall", value: { name: "weather", argumentsJson: '{"city":"Oslo"}' } });
    const toolCallId = call?.case === "toolCall" ? call.value.id : "";
    const result = { toolCallId, parts: [{ kind: { case: "text" as const, value: "8 degrees" } }] };
    const next = create(ChatRequestSchema, {
      messages: [
        ...request.messages,
        ...first.choices.flatMap(({ message }) => message ?? []),
        { role: Role.TOOL, parts: [{ kind: { case: "toolResult", value: result } }] },
      ],
    });
    expect(kinds(await complete(next))).toEqual([{ case: "text", value: "8 degrees" }]);
  });

  test("counts input in words and output in deltas over all choices", async () => {
    const { usage } = await complete(ask({ prompt: "one two  three", parameters: { n: 2 } }));
    expect(usage).toMatchObject({ inputTokens: 3, outputTokens: 6, totalTokens: 9, quality: UsageQuality.EXACT });
  });

  test("gives equal events for equal requests", async () => {
    const request = ask({
      prompt: "again and again",
      parameters: { logprobs: true, topLogprobs: 2, seedValue: { case: "seed", value: 7n } },
    });
    expect(await read(request)).toEqual(await read(request));
  });
});

describe("parameters", () => {
  test("truncates the response after max_output_tokens deltas", async () => {
    const { choices, usage } = await complete(ask({ prompt: "a b c d", parameters: { maxOutputTokens: 2 } }));
    expect(choices[0]).toMatchObject({ finishReason: FinishReason.LENGTH, providerFinishReason: "length" });
    expect(choices[0]?.message?.parts[0]?.kind.value).toBe("a b ");
    expect(usage?.outputTokens).toBe(2);
  });

  test("never sends a stop sequence, even across words, and reports it", async () => {
    const parameters = { stopSequences: ["zzz", "b c"] };
    const { choices } = await complete(ask({ prompt: "a b c d", parameters }));
    expect(choices[0]).toMatchObject({ finishReason: FinishReason.STOP, matchedStopSequence: "b c" });
    expect(choices[0]?.message?.parts[0]?.kind.value).toBe("a ");
  });

  test("sends text up to the first stop sequence for any number of repeats", async () => {
    const letters = fc.string({ unit: fc.constantFrom("a", "b", " "), minLength: 1, maxLength: 6 });
    const stops = fc.array(letters, { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(letters, stops, fc.integer({ min: 1, max: 8 }), async (text, stopSequences, repeat) => {
        const whole = text.repeat(repeat);
        const ends = stopSequences.map((stop) => whole.indexOf(stop)).filter((at) => at >= 0);
        const { batches } = await read(ask({ script: { text, repeat }, parameters: { stopSequences } }));
        expect(pieces(batches).join("")).toBe(whole.slice(0, Math.min(whole.length, ...ends)));
      }),
    );
  });

  test("adds log probabilities to each delta if requested", async () => {
    const parameters = { logprobs: true, topLogprobs: 2 };
    const { choices } = await complete(ask({ script: { reasoning: "hm", text: "a b" }, parameters }));
    expect(choices[0]?.logprobs?.tokens).toMatchObject([
      {
        token: "a ",
        logprob: 0,
        topLogprobs: [
          { token: "a ", logprob: 0 },
          { token: "a ~1", logprob: -1 },
        ],
      },
      { token: "b", logprob: -0.125, topLogprobs: [{ token: "b" }, { token: "b~1" }] },
    ]);
    expect(choices[0]?.reasoningLogprobs?.tokens).toHaveLength(1);
    expect((await complete(ask({ prompt: "a" }))).choices[0]?.logprobs).toBeUndefined();
  });

  test("reports what echo does not support", () => {
    const request = {
      ...ask({ parameters: { minOutputTokens: 3, logitBias: { 5: 1 }, temperature: 1 } }),
      chatTemplateKwargs: {},
      reasoning: create(ReasoningConfigSchema, { format: ReasoningFormat.RAW }),
    };
    expect(adapter.checkSupport(request, model).map(({ kind, field }) => [kind, formatPath(field)])).toEqual([
      ["UNSUPPORTED_PARAMETER", "parameters.min_output_tokens"],
      ["UNSUPPORTED_PARAMETER", "parameters.logit_bias"],
      ["UNSUPPORTED_PARAMETER", "chat_template_kwargs"],
      ["UNSUPPORTED_PARAMETER", "reasoning.format"],
    ]);
  });
});

describe("a script", () => {
  test("reads a script from the prompt", async () => {
    const prompt = ' { "echo": {"text": "hello", "repeat": 3} } ';
    expect(kinds(await complete(ask({ prompt })))).toEqual([{ case: "text", value: "hellohellohello" }]);
  });

  test.each([
    '{"echo": {}, "more": 1}',
    '{"echo": ',
    '["echo"]',
  ])("repeats %s as text instead of reading a script", async (prompt) => {
    expect(kinds(await complete(ask({ prompt })))).toEqual([{ case: "text", value: prompt }]);
  });

  test("sends exactly the listed deltas, even empty ones", async () => {
    const { batches } = await read(ask({ script: { deltas: ["a", "", " b", ""] } }));
    expect(pieces(batches)).toEqual(["a", "", " b", ""]);
  });

  test("sends reasoning, text, a refusal and tool calls in this order", async () => {
    const calls = [
      { name: "one", arguments: '{"a":1}', fragments: 3 },
      { id: "mine", name: "two" },
    ];
    const script = { reasoning: "let me see", text: "well", refusal: "no way", tool_calls: calls };
    const { choices, usage } = await complete(ask({ script }));
    expect(choices[0]?.message?.parts.map(({ kind }) => kind)).toMatchObject([
      { case: "reasoning", value: { text: "let me see" } },
      { case: "text", value: "well" },
      { case: "refusal", value: "no way" },
      { case: "toolCall", value: { id: "call_1_0_0", name: "one", argumentsJson: '{"a":1}' } },
      { case: "toolCall", value: { id: "mine", name: "two", argumentsJson: "{}" } },
    ]);
    expect(choices[0]?.finishReason).toBe(FinishReason.TOOL_CALLS);
    expect(usage).toMatchObject({ outputTokens: 3 + 1 + 2 + 3 + 1, reasoningTokens: 3 });
  });

  test("omits hidden reasoning but counts it", async () => {
    const script = { reasoning: "let me see", text: "well" };
    const reasoning = create(ReasoningConfigSchema, { format: ReasoningFormat.HIDDEN });
    const completion = await complete({ ...ask({ script }), reasoning });
    expect(kinds(completion)).toEqual([{ case: "text", value: "well" }]);
    expect(completion.usage).toMatchObject({ outputTokens: 4, reasoningTokens: 3 });
  });

  test("keeps tool arguments intact for any number of fragments", async () => {
    await fc.assert(
      fc.asyncProperty(texts, fc.integer({ min: 1, max: 9 }), async (text, fragments) => {
        const completion = await complete(ask({ script: { tool_calls: [{ name: "f", arguments: text, fragments }] } }));
        expect(kinds(completion)).toMatchObject([{ value: { argumentsJson: text } }]);
      }),
    );
  });

  test("applies choices per index and the outer fields to the other choices", async () => {
    const script = { text: "common", choices: [{ text: "first", finish_reason: "OTHER" }, { refusal: "no" }] };
    const completion = await complete(ask({ script, parameters: { n: 3 } }));
    expect([0, 1, 2].map((index) => kinds(completion, index))).toEqual([
      [{ case: "text", value: "first" }],
      [{ case: "refusal", value: "no" }],
      [{ case: "text", value: "common" }],
    ]);
    expect(completion.choices.map(({ providerFinishReason }) => providerFinishReason)).toEqual([
      "other",
      "content_filter",
      "stop",
    ]);
  });

  test("sends server tools before the text, media after it, and citations with it", async () => {
    const script = {
      server_tools: [
        { id: "s", name: "search", input: { q: 1 }, output: [], is_error: true },
        { name: "fetch", output: null },
        { name: "wait" },
      ],
      text: "far away",
      citations: [{ start: 0, end: 3, cited_text: "far" }],
      media: [{ media_type: "image/png", data: "AQIDBA==", fragments: 3, transcript: "t" }, { file_id: "file-1" }],
      sources: [{ url: { url: "https://a.example" } }],
      provider_metadata: { filter: "none" },
      completion_metadata: { container: "c" },
    };
    const completion = await complete(ask({ script }));
    expect(kinds(completion)).toMatchObject([
      { case: "serverToolCall", value: { id: "s", name: "search", inputJson: '{"q":1}' } },
      { case: "serverToolResult", value: { toolCallId: "s", outputJson: "[]", isError: true } },
      { case: "serverToolCall", value: { id: "server_1_0_1", name: "fetch", inputJson: "" } },
      { case: "serverToolResult", value: { toolCallId: "server_1_0_1", outputJson: "null" } },
      { case: "serverToolCall", value: { name: "wait" } },
      { case: "text", value: "far away" },
      {
        case: "media",
        value: { mediaType: "image/png", source: { value: Buffer.of(1, 2, 3, 4) }, transcript: "t" },
      },
      { case: "media", value: { source: { case: "fileId", value: "file-1" } } },
    ]);
    const [choice] = completion.choices;
    expect(choice?.message?.parts[5]?.citations).toMatchObject([{ start: 0, end: 3, citedText: "far" }]);
    expect(choice).toMatchObject({
      sources: [{ source: { case: "url", value: { url: "https://a.example" } } }],
      providerMetadataJson: '{"filter":"none"}',
    });
    expect(completion.providerMetadataJson).toBe('{"container":"c"}');
  });

  test("replaces or omits usage", async () => {
    const usage = { input_tokens: 10, cached_input_tokens: 4, quality: "ESTIMATED" };
    expect((await complete(ask({ prompt: "a b", script: { usage } }))).usage).toMatchObject({
      inputTokens: 10,
      outputTokens: 2,
      totalTokens: 12,
      cachedInputTokens: 4,
      quality: UsageQuality.ESTIMATED,
    });
    expect((await complete(ask({ prompt: "a", script: { usage: "none" } }))).usage).toBeUndefined();
  });

  test("batches deltas and makes them large", async () => {
    const { batches } = await read(ask({ prompt: "a b c", script: { batch: 2, large: 1000 } }));
    expect(batches.map((batch) => batch.length)).toEqual([1, 2, 1, 2]);
    expect(pieces(batches)).toEqual(Array(3).fill("x".repeat(1000)));
  });

  test("rejects a script with the path of every mistake", async () => {
    const error = await refusal(ask({ script: { repeat: 0, fail: { reason: "NOPE" }, sleep: 1 } }));
    expect(error.reason).toBe("INVALID_REQUEST");
    expect(error.facts.fields?.map(fieldText)).toEqual([
      "chat.provider_options.echo.repeat",
      "chat.provider_options.echo.fail.reason",
      "chat.provider_options.echo.sleep",
    ]);
    expect(error.message).toContain("echo.sleep: is not a field of the script");
    const unknown = await refusal(ask({ script: { citations: [{ color: "red" }], media: [{ size: 1 }] } }));
    expect(unknown.facts.fields?.map(fieldText)).toEqual([
      "chat.provider_options.echo.media.0",
      "chat.provider_options.echo.citations.0",
    ]);
    const prompted = await refusal(ask({ prompt: '{"echo": {"text": 1}}' }));
    expect(prompted.facts.fields?.map(fieldText)).toEqual(["chat.messages[0].echo.text"]);
    expect((await refusal(ask({ script: { end: {}, stall: {} } }))).message).toContain("only one of");
  });
});

describe("faults", () => {
  test.each([
    [0, []],
    ["started", ["started"]],
    [2, ["started", "delta", "delta"]],
    [3, ["started", "delta", "delta", "delta"]],
    [4, ["started", "delta", "delta", "delta", "finished"]],
  ])("triggers faults after %s", async (after, expected) => {
    const script = { fail: { after, reason: "PROVIDER_UNAVAILABLE" } };
    const { batches, error } = await read(ask({ prompt: "a b c", script }));
    expect(cases(batches)).toEqual(expected);
    expect(error).toMatchObject({ reason: "PROVIDER_UNAVAILABLE" });
    const ended = await read(ask({ prompt: "a b c", script: { end: { after }, batch: 2 } }));
    expect(cases(ended.batches)).toEqual(expected);
    expect(ended.error).toBeUndefined();
  });

  test("throws a failure with the facts of an upstream error", async () => {
    const fail = { after: 1, reason: "PROVIDER_RATE_LIMITED", retry_after_ms: 1500, http_status: 429 };
    const { batches, attempt } = open(ask({ prompt: "a b", script: { fail } }));
    await batches.next();
    await batches.next();
    await expect(batches.next()).rejects.toMatchObject({
      status: "RESOURCE_EXHAUSTED",
      facts: { retryAfterMs: 1500, provider: { provider: "echo", httpStatus: 429 } },
    });
    expect(attempt.httpStatus).toBe(429);
  });

  test.each([0, "started", 1, 9])("violates the stream law with malformed after %s", async (after) => {
    await expect(complete(ask({ prompt: "a b", script: { malformed: { after } } }))).rejects.toMatchObject({
      message: expect.stringContaining("malformed"),
    });
  });
});

describe("waiting", () => {
  const reason = new GatewayError("CANCELLED", "the caller went away");

  test.each([
    ["with its first delta, before the consumer gets it", "a b", {}, 1],
    ["not without a delta", "a", { end: { after: "started" } }, 0],
    ["not before a failure", "a", { fail: { reason: "PROVIDER_UNAVAILABLE", after: 0 } }, 0],
    ["once for several batches", "a b c d", { batch: 2 }, 1],
  ])("reports output %s", async (_, prompt, script, expected) => {
    let outputs = 0;
    const attempt = { attempt: create(AttemptSchema), queue: { waitsFor: undefined }, onOutput: () => outputs++ };
    const { signal } = new AbortController();
    const batches = adapter.stream(ask({ prompt, script }), model, { ...attempt, signal, holder: "account:a" });
    try {
      for await (const [event] of batches) expect(outputs).toBe(event?.case === "started" ? 0 : 1);
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
    }
    expect(outputs).toBe(expected);
  });

  test.each([0, "started", 1])("stalls after %s until the signal and throws its reason", async (after) => {
    const cancel = new AbortController();
    const { batches } = open(ask({ prompt: "a b", script: { stall: { after } } }), cancel.signal);
    for (let served = 0; served < (after === 0 ? 0 : after === 1 ? 2 : 1); served++) await batches.next();
    const next = batches.next();
    cancel.abort(reason);
    await expect(next).rejects.toBe(reason);
  });

  test.each(["delay_ms", "first_delay_ms"])("ends %s on the signal and leaves no timer", async (field) => {
    const cancel = new AbortController();
    const { batches } = open(ask({ prompt: "a b", script: { [field]: 3_600_000 } }), cancel.signal);
    await batches.next();
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
    const before = timers();
    const next = batches.next();
    expect(timers()).toBe(before + 1);
    cancel.abort(reason);
    await expect(next).rejects.toBe(reason);
    expect(timers()).toBe(before);
  });

  test("ends a long stream without delays on the signal", async () => {
    const cancel = new AbortController();
    const { batches } = open(ask({ script: { text: "on and on ", repeat: 1_000_000 } }), cancel.signal);
    setImmediate(() => cancel.abort(reason));
    const drain = async () => {
      while (!(await batches.next()).done);
    };
    await expect(drain()).rejects.toBe(reason);
  });

  test("throws the reason of a signal that fired before the call", async () => {
    const { batches } = open(ask({ prompt: "a", script: { stall: {} } }), AbortSignal.abort(reason));
    await expect(batches.next()).rejects.toBe(reason);
  });
});
