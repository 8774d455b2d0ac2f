import { afterEach, describe, expect, it } from "vitest";
import { FinishReason } from "../../../src/gen/dragoman/v1/completion_pb.js";
import { type Message, Role } from "../../../src/gen/dragoman/v1/message_pb.js";
import { ReasoningEffort, ReasoningFormat } from "../../../src/gen/dragoman/v1/reasoning_pb.js";
import { ToolChoiceMode } from "../../../src/gen/dragoman/v1/tool_pb.js";
import type { Adapter } from "../../../src/providers/adapter.ts";
import { createGeminiAdapter } from "../../../src/providers/gemini/index.ts";
import { type ReplayUpstream, type Script, startReplayUpstream } from "../../support/replay-upstream.ts";
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
/** The body as it arrives. */
const sent = (of: Parameters<typeof request>[0], name?: string) =>
  JSON.parse(JSON.stringify(offline.describe(request(of), model(name))));

describe("a request to the Gemini API", () => {
  it("has the key in a header, and nothing of it in the address", async () => {
    const { upstream, adapter } = await start({ steps: [{ write: sse(stop) }] });
    await fold(adapter.stream(request(), model(), context()));
    expect(upstream.requests[0]?.path).toBe("/models/gemini-3.8-flash:streamGenerateContent?alt=sse");
    expect(upstream.requests[0]?.headers["x-goog-api-key"]).toBe("AIza-test");
    expect(upstream.requests[0]?.headers.authorization).toBeUndefined();
  });

  it("cannot leave the folder of models by the name of one", async () => {
    const { upstream, adapter } = await start({ steps: [{ write: sse(stop) }] });
    await fold(adapter.stream(request(), model("../files?x=#"), context()));
    expect(upstream.requests[0]?.path).toBe("/models/..%2Ffiles%3Fx%3D%23:streamGenerateContent?alt=sse");
  });

  it("keeps arguments and schemas as they are written: order of keys, long numbers, spelling", async () => {
    const { upstream, adapter } = await start({ steps: [{ write: sse(stop) }] });
    const args = '{"2":1.0,"1":12345678901234567890,"__proto__":{"a":1e3}}';
    const schema = '{"type":"object","properties":{"2":{},"1":{"maximum":18446744073709551615}}}';
    const asked = request({
      messages: [
        { role: Role.USER, parts: [text("hello")] },
        { role: Role.ASSISTANT, parts: [toolCall("a", "look", args)] },
        { role: Role.TOOL, parts: [toolResult("a", "x")] },
      ],
      tools: [{ name: "look", parametersJsonSchema: schema }],
    });
    await fold(adapter.stream(asked, model(), context()));
    expect(upstream.requests[0]?.body).toContain(`"args":${args}`);
    expect(upstream.requests[0]?.body).toContain(`"parametersJsonSchema":${schema}`);
  });

  it.each([
    [ToolChoiceMode.AUTO, { mode: "AUTO" }],
    [ToolChoiceMode.NONE, { mode: "NONE" }],
    [ToolChoiceMode.REQUIRED, { mode: "ANY" }],
  ])("says tool choice %i as %o", (value, functionCallingConfig) => {
    const body = sent({ tools: [{ name: "look" }], toolChoice: { choice: { case: "mode", value } } });
    expect(body.toolConfig).toEqual({ functionCallingConfig });
  });

  it("names the one tool that must be called", () => {
    const body = sent({
      tools: [{ name: "look", strict: true }],
      toolChoice: { choice: { case: "toolName", value: "look" } },
    });
    expect(body.toolConfig).toEqual({ functionCallingConfig: { mode: "ANY", allowedFunctionNames: ["look"] } });
  });

  it("gives the first of unsigned calls the documented placeholder, from Gemini 3 on", () => {
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

  it("answers calls made together in one content, in their order", () => {
    const { contents } = sent({
      messages: [
        { role: Role.USER, parts: [text("hello")] },
        { role: Role.ASSISTANT, parts: [toolCall("a", "look", "{}"), toolCall("b", "hear", "{}")] },
        { role: Role.TOOL, parts: [toolResult("b", "2"), toolResult("a", "1")] },
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

  it("puts instructions in front of the first user turn for models that take none", () => {
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
    ["gemini-3.8-flash", ReasoningEffort.MINIMAL, { thinkingLevel: "MINIMAL", includeThoughts: true }],
    ["gemini-2.5-flash", ReasoningEffort.NONE, { thinkingBudget: 0, includeThoughts: false }],
    ["gemini-2.5-pro", ReasoningEffort.HIGH, { thinkingBudget: 24_576, includeThoughts: true }],
  ])("tells %s how much to think in its own terms", (name, value, thinkingConfig) => {
    const body = sent({ reasoning: { control: { case: "effort", value } } }, name);
    expect(body.generationConfig).toEqual({ thinkingConfig });
  });

  it.each([
    ["gemini-2.5-pro", 0, [{ kind: "ADJUSTED", field: ["reasoning", "budget_tokens"], set: 128 }]],
    ["gemini-2.5-pro", 99_999, [{ kind: "ADJUSTED", field: ["reasoning", "budget_tokens"], set: 32_768 }]],
    ["gemini-2.5-flash", 0, []],
    ["gemini-2.5-flash", 99_999, [{ kind: "ADJUSTED", field: ["reasoning", "budget_tokens"], set: 24_576 }]],
    ["gemini-2.0-flash", 512, [{ kind: "UNSUPPORTED_PARAMETER", field: ["reasoning"] }]],
  ])("keeps the budget of %s, asked for %i tokens, in its range", (name, value, adaptations) => {
    const asked = request({ reasoning: { control: { case: "budgetTokens", value } } });
    expect(offline.checkSupport(asked, model(name))).toMatchObject(adaptations);
  });

  it.each([
    ["gemini-3.1-pro-preview", ReasoningEffort.MINIMAL, "low, medium, high"],
    ["gemini-3.8-flash", ReasoningEffort.MAX, "minimal, low, medium, high"],
    ["gemini-2.5-pro", ReasoningEffort.NONE, "minimal, low, medium, high"],
    ["gemini-2.5-flash", ReasoningEffort.XHIGH, "none, minimal, low, medium, high"],
  ])("lists the efforts of %s where it is asked for another", (name, value, efforts) => {
    const asked = request({ reasoning: { control: { case: "effort", value } } });
    const message = `the model ${name} takes the reasoning efforts ${efforts}`;
    expect(offline.checkSupport(asked, model(name))).toEqual([
      { kind: "REJECTED", field: ["reasoning", "effort"], message },
    ]);
  });

  it("warns of what 2.5 models do not take: penalties, and JSON beside tools", () => {
    const asked = request({
      parameters: { presencePenalty: 1, frequencyPenalty: 0 },
      tools: [{ name: "look" }],
      outputFormat: { format: { case: "jsonObject", value: {} } },
    });
    expect(offline.checkSupport(asked, model("gemini-3.8-flash"))).toEqual([]);
    expect(offline.checkSupport(asked, model("gemini-2.5-pro"))).toMatchObject([
      { kind: "UNSUPPORTED_PARAMETER", field: ["parameters", "presence_penalty"] },
      { kind: "REJECTED", field: ["output_format"] },
    ]);
  });
});

describe("an answer of the Gemini API", () => {
  const answer = async (...chunks: readonly unknown[]) => {
    const { adapter } = await start({ steps: [{ write: sse(...chunks) }] });
    return fold(adapter.stream(request(), model(), context()));
  };

  it("is the same whether it comes as a stream or whole", async () => {
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
    expect(streamed.completion.choices[0]?.finishReason).toBe(FinishReason.TOOL_CALLS);
    expect(upstream.requests[1]?.path).toBe("/models/gemini-3.8-flash:generateContent");
    expect(upstream.requests[1]?.body).toBe(upstream.requests[0]?.body);
  });

  it("is a filtered choice when the prompt was blocked", async () => {
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

  it("is read in every candidate, where a caller's own options ask for several", async () => {
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

  it("keeps the order of keys and the digits of numbers in arguments", async () => {
    const args = '{"id":12345678901234567890,"b":1.50,"a":{"z":1,"y":2}}';
    const { completion } = await answer(
      `{"candidates":[{"content":{"parts":[{"functionCall":{"name":"look","args":${args}}}]},"finishReason":"STOP"}]}`,
    );
    const call = completion.choices[0]?.message?.parts[0]?.kind;
    expect(call).toMatchObject({ case: "toolCall", value: { name: "look", argumentsJson: args } });
  });

  it("keeps text before and after a call in parts of their own", async () => {
    const parts = [{ text: "I look." }, { functionCall: { id: "a", name: "look" } }, { text: "Done" }, { text: "." }];
    const { completion } = await answer({ candidates: [{ content: { parts }, finishReason: "STOP" }] });
    expect(completion.choices[0]?.message?.parts.map(({ kind }) => kind)).toMatchObject([
      { case: "text", value: "I look." },
      { case: "toolCall" },
      { case: "text", value: "Done." },
    ]);
  });

  it("tells of parts that have no place here", async () => {
    const parts = [{ text: "Look: " }, { inlineData: { mimeType: "image/png", data: "AQID" }, thoughtSignature: "S" }];
    const { completion } = await answer({ candidates: [{ content: { parts }, finishReason: "STOP" }] });
    expect(completion.warnings).toMatchObject([{ message: expect.stringContaining("inlineData") }]);
    expect(completion.choices[0]?.message?.parts.map(({ kind }) => kind.value)).toEqual(["Look: "]);
  });

  it("leaves thoughts out when they are to be hidden", async () => {
    const parts = [{ text: "Hm.", thought: true }, { text: "Yes." }];
    const { adapter } = await start({
      steps: [{ write: sse({ candidates: [{ content: { parts }, finishReason: "STOP" }] }) }],
    });
    const hidden = request({ reasoning: { format: ReasoningFormat.HIDDEN } });
    const { completion } = await fold(adapter.stream(hidden, model(), context()));
    expect(completion.choices[0]?.message?.parts.map(({ kind }) => kind.value)).toEqual(["Yes."]);
  });

  it("that is an error in its first event is that error, with its hint", async () => {
    const details = [{ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "0.5s" }];
    const { error } = await answer({ error: { code: null, message: "No.", status: "RESOURCE_EXHAUSTED", details } });
    expect(error).toMatchObject({ reason: "PROVIDER_RATE_LIMITED", facts: { retryAfterMs: 500 } });
  });

  it.each([
    "MALFORMED_FUNCTION_CALL",
    "UNEXPECTED_TOOL_CALL",
    "MALFORMED_RESPONSE",
    "TOO_MANY_TOOL_CALLS",
  ])("that failed with %s before any output is the provider's fault", async (finishReason) => {
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
  ])("that ended with %s has the finish reason %i", async (word, finishReason) => {
    const { completion } = await answer({ candidates: [{ content: {}, finishReason: word }] });
    expect(completion.choices).toMatchObject([{ finishReason, providerFinishReason: word }]);
  });

  it("that is empty was cut", async () => {
    expect((await answer({ candidates: [] })).error?.reason).toBe("PROVIDER_STREAM_INTERRUPTED");
  });

  it("that is rejected never shows a key", async () => {
    const { adapter } = await start({
      status: 400,
      steps: [{ write: '{"error":{"code":400,"status":"INVALID_ARGUMENT","message":"bad key=AIzaSyD-x_1 here"}}' }],
    });
    const { error } = await fold(adapter.stream(request(), model(), context()));
    expect(error?.message).toBe("the provider rejected the request: bad key=[redacted] here");
  });
});
