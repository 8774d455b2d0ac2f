import { afterEach, describe, expect, it } from "vitest";
import { FinishReason } from "../../../src/gen/dragoman/v1/completion_pb.js";
import { type Message, Role } from "../../../src/gen/dragoman/v1/message_pb.js";
import { Modality } from "../../../src/gen/dragoman/v1/modality_pb.js";
import { ReasoningEffort, ReasoningFormat } from "../../../src/gen/dragoman/v1/reasoning_pb.js";
import { ToolChoiceMode } from "../../../src/gen/dragoman/v1/tool_pb.js";
import { UsageQuality } from "../../../src/gen/dragoman/v1/usage_pb.js";
import type { Adapter } from "../../../src/providers/adapter.ts";
import { createGeminiAdapter } from "../../../src/providers/gemini/adapter.ts";
import { type ReplayUpstream, type Script, startReplayUpstream } from "../../support/replay-upstream.ts";
import { functionTool, providerTool } from "../../support/tools.ts";
import { context, fold, model, request, settings, sse, text, toolCall, toolResult } from "./harness.ts";

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const resource of open.splice(0)) await resource[Symbol.asyncDispose]();
});

async function start(...scripts: readonly Script[]): Promise<{ upstream: ReplayUpstream; adapter: Adapter }> {
  const upstream = await startReplayUpstream(...scripts);
  const adapter = createGeminiAdapter(settings(upstream.baseUrl));
  open.push({ [Symbol.asyncDispose]: async () => adapter.close?.() }, upstream);
  return { upstream, adapter };
}

const stop = { candidates: [{ content: { parts: [{ text: "Hi" }] }, finishReason: "STOP" }] };
const offline = createGeminiAdapter(settings("http://127.0.0.1:9"));
/** Returns the request body as the API receives it. */
const sent = (of: Parameters<typeof request>[0], name?: string) =>
  JSON.parse(JSON.stringify(offline.describe(request(of), model(name))));

describe("a request to the Gemini API", () => {
  it("sends the key in a header and not in the URL", async () => {
    const { upstream, adapter } = await start({ steps: [{ write: sse(stop) }] });
    await fold(adapter.stream(request(), model(), context()));
    expect(upstream.requests[0]?.path).toBe("/models/gemini-3.8-flash:streamGenerateContent?alt=sse");
    expect(upstream.requests[0]?.headers["x-goog-api-key"]).toBe("AIza-test");
    expect(upstream.requests[0]?.headers.authorization).toBeUndefined();
  });

  it("escapes a model name, so that it cannot change the path", async () => {
    const { upstream, adapter } = await start({ steps: [{ write: sse(stop) }] });
    await fold(adapter.stream(request(), model("../files?x=#"), context()));
    expect(upstream.requests[0]?.path).toBe("/models/..%2Ffiles%3Fx%3D%23:streamGenerateContent?alt=sse");
  });

  it("preserves key order, digits and whitespace in arguments and schemas", async () => {
    const { upstream, adapter } = await start({ steps: [{ write: sse(stop) }] });
    const args = '{"2":1.0,"1":12345678901234567890,"__proto__":{"a":1e3}}';
    const schema = '{"type":"object","properties":{"2":{},"1":{"maximum":18446744073709551615}}}';
    const asked = request({
      messages: [
        { role: Role.USER, parts: [text("hello")] },
        { role: Role.ASSISTANT, parts: [toolCall("a", "look", args)] },
        { role: Role.TOOL, parts: [toolResult("a", "x")] },
      ],
      tools: [functionTool({ name: "look", parametersJsonSchema: schema })],
    });
    await fold(adapter.stream(asked, model(), context()));
    expect(upstream.requests[0]?.body).toContain(`"args":${args}`);
    expect(upstream.requests[0]?.body).toContain(`"parametersJsonSchema":${schema}`);
  });

  it.each([
    [ToolChoiceMode.AUTO, { mode: "AUTO" }],
    [ToolChoiceMode.NONE, { mode: "NONE" }],
    [ToolChoiceMode.REQUIRED, { mode: "ANY" }],
  ])("converts tool choice %i to %o", (value, functionCallingConfig) => {
    const body = sent({ tools: [functionTool({ name: "look" })], toolChoice: { choice: { case: "mode", value } } });
    expect(body.toolConfig).toEqual({ functionCallingConfig });
  });

  it("converts a named tool choice to allowedFunctionNames", () => {
    const body = sent({
      tools: [functionTool({ name: "look", strict: true })],
      toolChoice: { choice: { case: "toolName", value: "look" } },
    });
    expect(body.toolConfig).toEqual({ functionCallingConfig: { mode: "ANY", allowedFunctionNames: ["look"] } });
  });

  it("adds the placeholder signature to the first unsigned call since Gemini 3", () => {
    const messages = [
      { role: Role.USER, parts: [text("hello")] },
      { role: Role.ASSISTANT, parts: [toolCall("a", "look", "{}"), toolCall("b", "look", "{}")] },
    ];
    const signatures = (name: string) =>
      sent({ messages }, name).contents[1].parts.map((part: { thoughtSignature?: string }) => part.thoughtSignature);
    expect(signatures("gemini-3.8-flash")).toEqual(["skip_thought_signature_validator", undefined]);
    expect(signatures("gemini-4-hydrogen")).toEqual(["skip_thought_signature_validator", undefined]);
    expect(signatures("gemini-flash-latest")).toEqual(["skip_thought_signature_validator", undefined]);
    expect(signatures("gemini-2.5-pro")).toEqual([undefined, undefined]);
  });

  it("sends the results of parallel calls in one content", () => {
    const { contents } = sent({
      messages: [
        { role: Role.USER, parts: [text("hello")] },
        { role: Role.ASSISTANT, parts: [toolCall("a", "look", "{}"), toolCall("b", "hear", "{}")] },
        { role: Role.TOOL, parts: [toolResult("a", "1"), toolResult("b", "2")] },
        { role: Role.USER, parts: [text("and?")] },
      ],
    });
    expect(contents.map(({ role }: Message) => role)).toEqual(["user", "model", "user"]);
    expect(contents[2].parts).toEqual([
      { functionResponse: { id: "a", name: "look", response: { output: "1" } } },
      { functionResponse: { id: "b", name: "hear", response: { output: "2" } } },
      { text: "and?" },
    ]);
  });

  it("puts system text into the first user turn for models without a system field", () => {
    const messages = [
      { role: Role.SYSTEM, parts: [text("Be brief.")] },
      { role: Role.USER, parts: [text("hello")] },
    ];
    expect(sent({ messages }, "gemma-4-31b-it")).toEqual({
      contents: [{ role: "user", parts: [{ text: "Be brief." }, { text: "hello" }] }],
    });
    expect(offline.checkSupport(request({ messages }), model("gemma-4-31b-it"))).toMatchObject([
      { kind: "EMULATED", field: ["messages", 0] },
    ]);
  });

  it.each([
    ["gemini-3.5-flash", ReasoningEffort.MINIMAL, { thinkingLevel: "MINIMAL", includeThoughts: true }],
    ["gemini-2.5-flash", ReasoningEffort.NONE, { thinkingBudget: 0, includeThoughts: false }],
    ["gemini-2.5-pro", ReasoningEffort.HIGH, { thinkingBudget: 24_576, includeThoughts: true }],
  ])("converts the effort for %s to its thinking fields", (name, value, thinkingConfig) => {
    const body = sent({ reasoning: { control: { case: "effort", value } } }, name);
    expect(body.generationConfig).toEqual({ thinkingConfig });
  });

  it.each([
    ["gemini-2.5-pro", 0, [{ kind: "ADJUSTED", field: ["reasoning", "budget_tokens"], set: 128 }]],
    ["gemini-2.5-pro", 99_999, [{ kind: "ADJUSTED", field: ["reasoning", "budget_tokens"], set: 32_768 }]],
    ["gemini-2.5-flash", 0, []],
    ["gemini-2.5-flash", 99_999, [{ kind: "ADJUSTED", field: ["reasoning", "budget_tokens"], set: 24_576 }]],
    ["gemini-2.0-flash", 512, [{ kind: "UNSUPPORTED_PARAMETER", field: ["reasoning"] }]],
  ])("clamps the budget of %s for %i tokens", (name, value, adaptations) => {
    const asked = request({ reasoning: { control: { case: "budgetTokens", value } } });
    expect(offline.checkSupport(asked, model(name))).toMatchObject(adaptations);
  });

  it.each([
    ["gemini-3.1-pro-preview", ReasoningEffort.MINIMAL, "low, medium, high"],
    ["gemini-3.5-flash", ReasoningEffort.MAX, "minimal, low, medium, high"],
    ["gemini-3.8-flash", ReasoningEffort.MINIMAL, "low, medium, high"],
    ["gemini-5-flash", ReasoningEffort.MINIMAL, "low, medium, high"],
    ["gemini-4-pro", ReasoningEffort.MINIMAL, "low, medium, high"],
    ["models/gemini-4-pro-preview", ReasoningEffort.MINIMAL, "low, medium, high"],
    ["gemini-pro-latest", ReasoningEffort.MINIMAL, "low, medium, high"],
    ["gemini-4-hydrogen", ReasoningEffort.MINIMAL, "low, medium, high"],
    ["gemini-9-neon", ReasoningEffort.MAX, "minimal, low, medium, high"],
    ["gemini-2.5-pro", ReasoningEffort.NONE, "minimal, low, medium, high"],
    ["gemini-2.5-flash", ReasoningEffort.XHIGH, "none, minimal, low, medium, high"],
  ])("rejects an unsupported effort for %s and lists the supported ones", (name, value, efforts) => {
    const asked = request({ reasoning: { control: { case: "effort", value } } });
    const message = `the model ${name} supports only the reasoning efforts ${efforts}`;
    expect(offline.checkSupport(asked, model(name))).toEqual([
      { kind: "REJECTED", field: ["reasoning", "effort"], message },
    ]);
  });

  it("reports penalties, and JSON output with tools, for 2.5 models", () => {
    const asked = request({
      parameters: { presencePenalty: 1, frequencyPenalty: 0 },
      tools: [functionTool({ name: "look" })],
      outputFormat: { format: { case: "jsonObject", value: {} } },
    });
    expect(offline.checkSupport(asked, model("gemini-3.8-flash"))).toEqual([]);
    expect(offline.checkSupport(asked, model("gemini-2.5-pro"))).toMatchObject([
      { kind: "UNSUPPORTED_PARAMETER", field: ["parameters", "presence_penalty"] },
      { kind: "REJECTED", field: ["output_format"] },
    ]);
  });
});

describe("a response of the Gemini API", () => {
  const answer = async (...chunks: readonly unknown[]) => {
    const { adapter } = await start({ steps: [{ write: sse(...chunks) }] });
    return fold(adapter.stream(request(), model(), context()));
  };

  it("gives equal results for streamed and complete responses", async () => {
    const usageMetadata = { promptTokenCount: 2, candidatesTokenCount: 1, thoughtsTokenCount: 3 };
    const parts = [
      { text: "Hi" },
      { functionCall: { id: "a", name: "look", args: { b: 1 } }, thoughtSignature: "Sig" },
    ];
    const whole = { candidates: [{ content: { parts }, finishReason: "STOP" }], usageMetadata, responseId: "r" };
    const { upstream, adapter } = await start(
      { steps: [{ write: sse(whole) }] },
      { headers: { "content-type": "application/json" }, steps: [{ write: JSON.stringify(whole, undefined, 2) }] },
    );
    const streamed = await fold(adapter.stream(request(), model(), context()));
    const inOnePiece = await fold(adapter.complete?.(request(), model(), context()) ?? expect.fail());
    expect(inOnePiece).toEqual(streamed);
    expect(upstream.requests[1]?.path).toBe("/models/gemini-3.8-flash:generateContent");
    expect(upstream.requests[1]?.body).toBe(upstream.requests[0]?.body);
  });

  it("returns a filtered choice for a blocked prompt", async () => {
    const { completion, error } = await answer({
      promptFeedback: { blockReason: "PROHIBITED_CONTENT" },
      usageMetadata: { promptTokenCount: 4 },
    });
    expect(error).toBeUndefined();
    expect(completion.choices).toMatchObject([
      { finishReason: FinishReason.CONTENT_FILTER, providerFinishReason: "PROHIBITED_CONTENT", message: { parts: [] } },
    ]);
    expect(completion.usage?.inputTokens).toBe(4);
  });

  it("ends a choice as filtered if the API blocks a response that has begun", async () => {
    const begun = { candidates: [{ content: { parts: [{ text: "Hi" }] } }] };
    const { completion, error } = await answer(begun, { promptFeedback: { blockReason: "SAFETY" } });
    expect(error).toBeUndefined();
    expect(completion.choices).toMatchObject([
      { finishReason: FinishReason.CONTENT_FILTER, providerFinishReason: "SAFETY", message: { parts: [text("Hi")] } },
    ]);
  });

  it("reads several candidates, which provider options can request", async () => {
    const { completion } = await answer(
      { candidates: [{ content: { parts: [{ text: "He" }] } }, { content: { parts: [{ text: "Ho" }] }, index: 1 }] },
      { candidates: [{ content: { parts: [{ text: "!" }] }, index: 1, finishReason: "MAX_TOKENS" }] },
      { candidates: [{ content: { parts: [{ text: "y" }] }, index: 0, finishReason: "STOP" }] },
    );
    const said = completion.choices.map(({ message, finishReason }) => [message?.parts[0]?.kind.value, finishReason]);
    expect(said).toEqual([
      ["Hey", FinishReason.STOP],
      ["Ho!", FinishReason.LENGTH],
    ]);
  });

  it("keeps candidates without indices apart", async () => {
    const candidates = ["a", "b"].map((word) => ({ content: { parts: [{ text: word }] }, finishReason: "STOP" }));
    const { completion } = await answer({ candidates });
    expect(completion.choices.map(({ message }) => message?.parts)).toMatchObject([[text("a")], [text("b")]]);
  });

  it("preserves key order and digits in tool arguments", async () => {
    const args = '{"id":12345678901234567890,"b":1.50,"a":{"z":1,"y":2}}';
    const { completion } = await answer(
      `{"candidates":[{"content":{"parts":[{"functionCall":{"name":"look","args":${args}}}]},"finishReason":"STOP"}]}`,
    );
    const call = completion.choices[0]?.message?.parts[0]?.kind;
    expect(call).toMatchObject({ case: "toolCall", value: { name: "look", argumentsJson: args } });
  });

  it("reads counts and log probabilities beside a tool call, however their digits are written", async () => {
    const part = '{"text":"Hi"},{"functionCall":{"name":"look"}}';
    const logprobs = '{"chosenCandidates":[{"token":"Hi","logProbability":-1.50e-07}]}';
    const { completion } = await answer(
      `{"candidates":[{"content":{"parts":[${part}]},"finishReason":"STOP","logprobsResult":${logprobs}}],` +
        '"usageMetadata":{"promptTokenCount":5.0,"candidatesTokenCount":3,"totalTokenCount":8}}',
    );
    expect(completion.choices[0]?.logprobs?.tokens).toMatchObject([{ token: "Hi", logprob: -1.5e-7 }]);
    expect(completion.usage).toMatchObject({ inputTokens: 5, outputTokens: 3, quality: UsageQuality.EXACT });
  });

  it("separates text before and after a tool call into two parts", async () => {
    const parts = [{ text: "I look." }, { functionCall: { id: "a", name: "look" } }, { text: "Done" }, { text: "." }];
    const { completion } = await answer({ candidates: [{ content: { parts }, finishReason: "STOP" }] });
    expect(completion.choices[0]?.message?.parts.map(({ kind }) => kind)).toMatchObject([
      { case: "text", value: "I look." },
      { case: "toolCall" },
      { case: "text", value: "Done." },
    ]);
  });

  it("warns about unsupported parts and omits them", async () => {
    const draft = { inlineData: { mimeType: "image/png", data: "AQID" }, thought: true };
    const parts = [{ text: "Look: ", partMetadata: { a: 1 } }, { hologram: { data: "AQID" } }, draft];
    const { completion } = await answer({ candidates: [{ content: { parts }, finishReason: "STOP" }] });
    expect(completion.warnings.map(({ reason, message }) => [reason, message])).toEqual(
      ["partMetadata", "hologram", "media of the reasoning"].map((name) => ["LEFT_OUT", expect.stringContaining(name)]),
    );
    expect(completion.choices[0]?.message?.parts.map(({ kind }) => kind.value)).toEqual(["Look: "]);
  });

  it("reads a tool call whose arguments arrive in pieces, with the signature of its first piece", async () => {
    const piece = (functionCall: object, more: object = {}) => ({
      candidates: [{ index: 0, content: { parts: [{ functionCall, ...more }] } }],
    });
    const { completion } = await answer(
      piece({ name: "f", id: "a", willContinue: true }, { thoughtSignature: "S" }),
      piece({ partialArgs: [{ jsonPath: "$.city", stringValue: "New ", willContinue: true }], willContinue: true }),
      piece({ partialArgs: [{ jsonPath: "$.city", stringValue: "York" }], willContinue: true }),
      piece({}),
      {
        candidates: [
          { index: 0, content: { parts: [{ functionCall: { name: "g", args: {} } }] }, finishReason: "STOP" },
        ],
      },
    );
    expect(completion.choices[0]?.message?.parts).toMatchObject([
      { kind: { value: { id: "a", name: "f", argumentsJson: '{"city":"New York"}' } }, providerState: {} },
      { kind: { value: { name: "g", argumentsJson: "{}" } } },
    ]);
  });

  it("joins raw audio that a stream sends in pieces to one part", async () => {
    const piece = (data: string, more: object = {}) => ({
      candidates: [
        { index: 0, content: { parts: [{ inlineData: { mimeType: "audio/L16;rate=24000", data } }] }, ...more },
      ],
    });
    const { completion } = await answer(piece("AQI="), piece("Aw==", { finishReason: "STOP" }));
    expect(completion.choices[0]?.message?.parts).toMatchObject([
      { kind: { value: { mediaType: "audio/L16;rate=24000", source: { value: Buffer.from([1, 2, 3]) } } } },
    ]);
  });

  it("sends Google's own tools, other modalities and a voice", () => {
    const tools = [providerTool({ provider: "gemini", type: "google_search", configJson: '{"n":1}' })];
    expect(sent({ tools, responseModalities: [Modality.AUDIO], audioOutput: { voice: "Kore" } })).toMatchObject({
      tools: [{ google_search: { n: 1 } }],
      generationConfig: {
        responseModalities: ["AUDIO"],
        speechConfig: { voiceConfig: { prebuiltVoiceConfig: { voiceName: "Kore" } } },
      },
    });
  });

  it("omits reasoning if the format is hidden", async () => {
    const parts = [{ text: "Hm.", thought: true }, { text: "Yes." }];
    const { adapter } = await start({
      steps: [{ write: sse({ candidates: [{ content: { parts }, finishReason: "STOP" }] }) }],
    });
    const hidden = request({ reasoning: { format: ReasoningFormat.HIDDEN } });
    const { completion } = await fold(adapter.stream(hidden, model(), context()));
    expect(completion.choices[0]?.message?.parts.map(({ kind }) => kind.value)).toEqual(["Yes."]);
  });

  it("throws an error in the first event, with its retry delay", async () => {
    const details = [{ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "0.5s" }];
    const { error } = await answer({ error: { code: null, message: "No.", status: "RESOURCE_EXHAUSTED", details } });
    expect(error).toMatchObject({ reason: "PROVIDER_RATE_LIMITED", facts: { retryAfterMs: 500 } });
  });

  it.each([
    "MALFORMED_FUNCTION_CALL",
    "UNEXPECTED_TOOL_CALL",
  ])("throws TOOL_CALL_INVALID with Google's words for %s", async (finishReason) => {
    const finishMessage = "Malformed function call: print(weather(";
    const { error } = await answer({ candidates: [{ content: {}, finishReason, finishMessage }] });
    const facts = { providerMessage: finishMessage, provider: { code: finishReason } };
    expect(error).toMatchObject({ reason: "TOOL_CALL_INVALID", status: "ABORTED", facts });
    expect(error?.message).toContain(finishMessage);
  });

  it.each([
    "UNEXPECTED_TOOL_CALL",
    "TOO_MANY_TOOL_CALLS",
  ])("returns the tool calls of a response with the finish reason %s", async (finishReason) => {
    const part = { functionCall: { id: "a", name: "look", args: {} }, thoughtSignature: "Sig" };
    const usageMetadata = { promptTokenCount: 4, candidatesTokenCount: 2, totalTokenCount: 6 };
    const { completion, error } = await answer({
      candidates: [{ content: { parts: [part] }, finishReason, finishMessage: "No tool." }],
      usageMetadata,
    });
    expect(error).toBeUndefined();
    expect(completion.choices).toMatchObject([
      {
        finishReason: FinishReason.TOOL_CALLS,
        providerFinishReason: finishReason,
        message: { parts: [{ kind: { case: "toolCall" }, providerState: { data: Buffer.from("Sig") } }] },
      },
    ]);
    expect(completion.usage).toMatchObject({ inputTokens: 4, outputTokens: 2 });
  });

  it.each([
    "MALFORMED_RESPONSE",
    "TOO_MANY_TOOL_CALLS",
  ])("throws PROVIDER_FAULT for %s before any output", async (finishReason) => {
    const { error } = await answer({ candidates: [{ content: {}, finishReason }] });
    expect(error).toMatchObject({ reason: "PROVIDER_FAULT", facts: { provider: { code: finishReason } } });
  });

  it.each([
    ["CONTINUATION", FinishReason.LENGTH],
    ["RECITATION", FinishReason.CONTENT_FILTER],
    ["BLOCKLIST", FinishReason.CONTENT_FILTER],
    ["PROHIBITED_CONTENT", FinishReason.CONTENT_FILTER],
    ["SPII", FinishReason.CONTENT_FILTER],
    ["IMAGE_SAFETY", FinishReason.CONTENT_FILTER],
    ["LANGUAGE", FinishReason.OTHER],
    ["OTHER", FinishReason.OTHER],
    ["NO_IMAGE", FinishReason.OTHER],
    ["toString", FinishReason.OTHER],
  ])("converts %s to the finish reason %i", async (word, finishReason) => {
    const { completion } = await answer({ candidates: [{ content: {}, finishReason: word }] });
    expect(completion.choices).toMatchObject([{ finishReason, providerFinishReason: word }]);
  });

  it("reports an empty response as interrupted", async () => {
    expect((await answer({ candidates: [] })).error?.reason).toBe("PROVIDER_STREAM_INTERRUPTED");
  });

  it("never reveals a key in the error of a rejected request", async () => {
    const { adapter } = await start({
      status: 400,
      steps: [{ write: '{"error":{"code":400,"status":"INVALID_ARGUMENT","message":"bad key=AIzaSyD-x_1 here"}}' }],
    });
    const { error } = await fold(adapter.stream(request(), model(), context()));
    expect(error?.message).toBe("the provider rejected the request: bad key=[redacted] here");
  });
});
