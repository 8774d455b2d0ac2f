import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { afterEach, describe, expect, it } from "vitest";
import { createFold } from "../../../src/chat/stream/fold.ts";
import { GatewayError } from "../../../src/errors.ts";
import { formatPath } from "../../../src/field-path.ts";
import { AttemptSchema } from "../../../src/gen/dragoman/v1/attempt_pb.js";
import { type ChatRequest, ChatRequestSchema } from "../../../src/gen/dragoman/v1/chat_request_pb.js";
import { FinishReason } from "../../../src/gen/dragoman/v1/completion_pb.js";
import { Role } from "../../../src/gen/dragoman/v1/message_pb.js";
import { type Model, ModelSchema } from "../../../src/gen/dragoman/v1/model_pb.js";
import { ReasoningEffort, ReasoningFormat } from "../../../src/gen/dragoman/v1/reasoning_pb.js";
import { ToolChoiceMode } from "../../../src/gen/dragoman/v1/tool_pb.js";
import { profiles } from "../../../src/profiles/profiles.ts";
import type { Adapter } from "../../../src/providers/adapter.ts";
import { anthropicModels } from "../../../src/providers/anthropic/models.ts";
import { declared } from "../../contract/fixtures/chat-completions.ts";
import { applyAdaptations, prepareMessages } from "../../support/planning.ts";
import { startReplayUpstream } from "../../support/replay-upstream.ts";
import { functionTool } from "../../support/tools.ts";

const { NONE, MINIMAL, LOW, HIGH, XHIGH, MAX } = ReasoningEffort;

type Fields = Exclude<MessageInitShape<typeof ChatRequestSchema>, ChatRequest>;

const text = (value: string) => ({ kind: { case: "text" as const, value } });
const user = { role: Role.USER, parts: [text("Hi")] };
const effort = (value: ReasoningEffort) => ({ control: { case: "effort" as const, value } });
const budget = (value: number) => ({ control: { case: "budgetTokens" as const, value } });
const named = { choice: { case: "toolName" as const, value: "f" } };
const required = { choice: { case: "mode" as const, value: ToolChoiceMode.REQUIRED } };
const tools = [functionTool({ name: "f" })];

function modelNamed(providerModel: string): Model {
  const listed = anthropicModels.find(({ id }) => id === providerModel);
  return listed ?? create(ModelSchema, { id: `anthropic/${providerModel}`, provider: "anthropic", providerModel });
}

const createAdapter = declared("anthropic");
const offline = createAdapter("http://127.0.0.1:9");

/** Returns the adaptations as `KIND field`, and the request body unless an adaptation rejects the request. */
function translate(providerModel: string, fields: Fields) {
  const model = modelNamed(providerModel);
  const request = create(ChatRequestSchema, { model: model.id, messages: [user], ...fields });
  const adaptations = offline.checkSupport(request, model);
  const limits = adaptations.map(({ kind, field }) => `${kind} ${formatPath(field)}`);
  if (limits.some((limit) => limit.startsWith("REJECTED"))) return { limits, body: undefined };
  const sent: unknown = JSON.parse(
    JSON.stringify(offline.describe(applyAdaptations(request, adaptations).request, model)),
  );
  return { limits, body: sent };
}

describe("Anthropic's model rules", () => {
  it.each([
    ["claude-sonnet-4-5", 64_000],
    ["claude-sonnet-4-5-20250929", 64_000],
    ["claude-opus-5-5", 128_000],
    ["claude-opus-4-1-20250805", 32_000],
    ["claude-sonnet-4-20250514", 64_000],
    ["claude-3-haiku-20240307", 4_096],
    ["claude-of-tomorrow", 32_000],
  ])("always sends max_tokens: %s defaults to %i", (name, ceiling) => {
    expect(translate(name, {}).body).toMatchObject({ max_tokens: ceiling });
    expect(translate(name, { parameters: { maxOutputTokens: 7 } }).body).toMatchObject({ max_tokens: 7 });
  });

  it.each([
    "claude-opus-4-7",
    "claude-sonnet-5",
    "claude-haiku-5-5",
    "claude-fable-5",
    "claude-opus-5-5",
  ])("omits sampling parameters for %s, even at their defaults", (name) => {
    expect(translate(name, { parameters: { temperature: 1, topP: 1, topK: 0 } })).toEqual({
      limits: [],
      body: {
        max_tokens: 128_000,
        model: name,
        messages: [{ role: "user", content: [{ type: "text", text: "Hi" }] }],
        stream: true,
      },
    });
    expect(translate(name, { parameters: { temperature: 0.2, topP: 0.5, topK: 4 } }).limits).toEqual([
      "UNSUPPORTED_PARAMETER parameters.temperature",
      "UNSUPPORTED_PARAMETER parameters.top_p",
      "UNSUPPORTED_PARAMETER parameters.top_k",
    ]);
  });

  it("omits sampling parameters while an older model reasons, except top_p near 1", () => {
    const parameters = { temperature: 0.2, topK: 4 };
    expect(translate("claude-sonnet-4-5", { parameters, reasoning: budget(2048) }).limits).toEqual([
      "UNSUPPORTED_PARAMETER parameters.temperature",
      "UNSUPPORTED_PARAMETER parameters.top_k",
    ]);
    const near = translate("claude-sonnet-4-5", { parameters: { topP: 0.97 }, reasoning: budget(2048) });
    expect(near).toMatchObject({ limits: [], body: { top_p: 0.97 } });
  });

  it("sends only one of temperature and top_p, preferably one that is not 1", () => {
    const body = (temperature: number, topP: number) =>
      translate("claude-opus-4-6", { parameters: { temperature, topP } }).body;
    expect(body(1, 0.5)).toMatchObject({ top_p: 0.5 });
    expect(body(1, 0.5)).not.toHaveProperty("temperature");
    expect(body(0, 1)).toMatchObject({ temperature: 0 });
    expect(body(0.5, 0.5)).toMatchObject({ temperature: 0.5 });
    expect(body(0.5, 0.5)).not.toHaveProperty("top_p");
  });

  it("clamps the temperature to 1 for models outside the catalog", () => {
    const { limits, body } = translate("claude-opus-4-1", { parameters: { temperature: 1.5 } });
    expect(limits).toEqual(["ADJUSTED parameters.temperature"]);
    expect(body).toMatchObject({ temperature: 1 });
  });

  it.each([
    ["claude-opus-4-6", HIGH, { thinking: { type: "adaptive" }, output_config: { effort: "high" } }],
    [
      "claude-opus-4-8",
      XHIGH,
      { thinking: { type: "adaptive", display: "summarized" }, output_config: { effort: "xhigh" } },
    ],
    [
      "claude-opus-5-5",
      LOW,
      { thinking: { type: "adaptive", display: "summarized" }, output_config: { effort: "low" } },
    ],
    ["claude-haiku-4-5", LOW, { thinking: { type: "enabled", budget_tokens: 12_800 } }],
    ["claude-haiku-5-5", NONE, { thinking: { type: "disabled" } }],
    ["claude-sonnet-5-5", NONE, { thinking: { type: "between_tools" } }],
  ])("converts the reasoning effort for %s (%i) to its thinking fields", (name, value, expected) => {
    expect(translate(name, { reasoning: effort(value) }).body).toMatchObject(expected);
  });

  it("rejects an unsupported effort and lists the supported ones", () => {
    expect(translate("claude-opus-4-6", { reasoning: effort(XHIGH) }).limits).toEqual(["REJECTED reasoning.effort"]);
    expect(translate("claude-opus-5-5", { reasoning: effort(MINIMAL) }).limits).toEqual(["REJECTED reasoning.effort"]);
    expect(translate("claude-fable-5", { reasoning: effort(NONE) }).limits).toEqual(["REJECTED reasoning.effort"]);
    expect(translate("claude-fable-5", { reasoning: budget(0) }).limits).toEqual(["REJECTED reasoning.budget_tokens"]);
    const request = create(ChatRequestSchema, { messages: [user], reasoning: effort(NONE) });
    expect(offline.checkSupport(request, modelNamed("claude-opus-5-5"))[0]?.message).toBe(
      "the model claude-opus-5-5 always reasons: it supports the reasoning efforts low, medium, high, xhigh, max",
    );
  });

  it("keeps a reasoning budget between 1024 and max_tokens, or omits it", () => {
    const asked = (tokens: number, maxOutputTokens: number, name = "claude-sonnet-4-5") =>
      translate(name, { reasoning: budget(tokens), parameters: { maxOutputTokens } });
    expect(asked(2000, 4000)).toMatchObject({ limits: [], body: { thinking: { budget_tokens: 2000 } } });
    const adjusted = ["ADJUSTED reasoning.budget_tokens"];
    expect(asked(5, 4000)).toMatchObject({ limits: adjusted, body: { thinking: { budget_tokens: 1024 } } });
    expect(asked(9000, 4000)).toMatchObject({ limits: adjusted, body: { thinking: { budget_tokens: 3999 } } });
    expect(asked(100_000, 1_000_000)).toMatchObject({
      limits: adjusted,
      body: { thinking: { budget_tokens: 63_999 } },
    });
    expect(asked(2000, 1000).limits).toEqual(["UNSUPPORTED_PARAMETER reasoning.budget_tokens"]);
    expect(asked(2000, 4000, "claude-opus-5-5").limits).toEqual(["UNSUPPORTED_PARAMETER reasoning.budget_tokens"]);
    expect(
      translate("claude-haiku-4-5", { reasoning: effort(MAX), parameters: { maxOutputTokens: 1024 } }),
    ).toMatchObject({ limits: ["UNSUPPORTED_PARAMETER reasoning.effort"] });
  });

  it("hides reasoning without turning thinking on", () => {
    const reasoning = { format: ReasoningFormat.HIDDEN };
    expect(translate("claude-sonnet-4-6", { reasoning }).body).not.toHaveProperty("thinking");
    expect(translate("claude-opus-5-5", { reasoning }).body).toMatchObject({ thinking: { type: "adaptive" } });
    expect(translate("claude-opus-5-5", { reasoning: { format: ReasoningFormat.PARSED } }).body).toMatchObject({
      thinking: { type: "adaptive", display: "summarized" },
    });
    expect(translate("claude-sonnet-4-5", { reasoning: { ...reasoning, ...budget(2048) } }).body).toMatchObject({
      thinking: { type: "enabled", budget_tokens: 2048, display: "omitted" },
    });
  });

  it.each([
    "claude-opus-5-5",
    "claude-fable-5-1",
    "claude-sonnet-5-5",
    "claude-opus-6",
  ])("rejects forced tools for %s", (name) => {
    expect(translate(name, { tools, toolChoice: named }).limits).toEqual(["REJECTED tool_choice.tool_name"]);
    expect(translate(name, { tools, toolChoice: required }).limits).toEqual(["REJECTED tool_choice.mode"]);
  });

  it.each([
    "claude-opus-4-6",
    "claude-sonnet-4-6",
    "claude-opus-4-8",
    "claude-sonnet-5",
    "claude-haiku-5-5",
  ])("forces tools together with adaptive thinking: %s", (name) => {
    const fields = { tools, reasoning: effort(LOW) };
    const thinking = { thinking: { type: "adaptive" }, output_config: { effort: "low" } };
    expect(translate(name, { ...fields, toolChoice: required })).toMatchObject({
      limits: [],
      body: { ...thinking, tool_choice: { type: "any" } },
    });
    expect(translate(name, { ...fields, toolChoice: named })).toMatchObject({
      limits: [],
      body: { ...thinking, tool_choice: { type: "tool", name: "f" } },
    });
  });

  it("rejects forced tools together with a thinking budget", () => {
    const fields = { tools, toolChoice: required };
    for (const name of ["claude-sonnet-4-5", "claude-opus-4-6", "claude-3-7-sonnet-20250219"]) {
      expect(translate(name, { ...fields, reasoning: budget(2048) }).limits).toEqual(["REJECTED tool_choice.mode"]);
    }
    const emulated = translate("claude-sonnet-4-5", { ...fields, reasoning: effort(LOW) });
    expect(emulated.limits).toEqual(["EMULATED reasoning.effort", "REJECTED tool_choice.mode"]);
    // The budget is dropped, so that nothing excludes the forced tool.
    const dropped = translate("claude-opus-4-7", { ...fields, reasoning: budget(2048) });
    expect(dropped.limits).toEqual(["UNSUPPORTED_PARAMETER reasoning.budget_tokens"]);
  });

  it("sends parallel_tool_calls false with a forced tool", () => {
    expect(translate("claude-fable-5", { tools, toolChoice: named, parallelToolCalls: false })).toMatchObject({
      limits: [],
      body: { tool_choice: { type: "tool", name: "f", disable_parallel_tool_use: true } },
    });
  });

  it("sends a thinking budget to Claude 3.7", () => {
    expect(translate("claude-3-7-sonnet-20250219", { reasoning: budget(2048) })).toMatchObject({
      limits: [],
      body: { max_tokens: 64_000, thinking: { type: "enabled", budget_tokens: 2048 } },
    });
    expect(translate("claude-3-5-sonnet-20241022", { reasoning: budget(2048) }).limits).toEqual([
      "UNSUPPORTED_PARAMETER reasoning.budget_tokens",
    ]);
  });

  it("sends parallel_tool_calls false inside the tool choice", () => {
    const none = { choice: { case: "mode" as const, value: ToolChoiceMode.NONE } };
    const fields = { tools, parallelToolCalls: false };
    expect(translate("claude-opus-5-5", fields).body).toMatchObject({
      tool_choice: { type: "auto", disable_parallel_tool_use: true },
    });
    expect(translate("claude-opus-5-5", { ...fields, toolChoice: none }).body).toMatchObject({
      tool_choice: { type: "none" },
      tools: [{ name: "f", input_schema: { type: "object", properties: {} } }],
    });
    expect(translate("claude-opus-5-5", { parallelToolCalls: false }).body).not.toHaveProperty("tool_choice");
  });

  it("rejects a final assistant message since Claude 4.6, or with reasoning", () => {
    const messages = [user, { role: Role.ASSISTANT, parts: [text("The answer is")] }];
    expect(translate("claude-sonnet-4-5", { messages })).toMatchObject({
      limits: [],
      body: { messages: [{ role: "user" }, { role: "assistant" }] },
    });
    expect(translate("claude-sonnet-4-5", { messages, reasoning: budget(2048) }).limits).toEqual([
      "REJECTED messages[1]",
    ]);
    expect(translate("claude-sonnet-4-6", { messages }).limits).toEqual(["REJECTED messages[1]"]);
  });

  it("rejects a JSON Schema and omits strict before Claude 4.5", () => {
    const outputFormat = { format: { case: "jsonSchema" as const, value: { name: "n", schemaJson: "{}" } } };
    expect(translate("claude-sonnet-4-20250514", { outputFormat }).limits).toEqual([
      "REJECTED output_format.json_schema",
    ]);
    expect(translate("claude-sonnet-4-20250514", { tools: [functionTool({ name: "f", strict: true })] })).toMatchObject(
      {
        limits: ["EMULATED tools"],
        body: { tools: [{ name: "f" }] },
      },
    );
  });
});

describe("a request to Anthropic", () => {
  it("adds an instruction for JSON mode to the system text", () => {
    const outputFormat = { format: { case: "jsonObject" as const, value: {} } };
    const { body } = translate("claude-opus-5-5", { outputFormat });
    expect(body).toMatchObject({ system: [{ type: "text", text: expect.stringContaining("JSON object") }] });
  });

  it("keeps the caller's schema if provider options set output_config", () => {
    const { body } = translate("claude-opus-5-5", {
      outputFormat: { format: { case: "jsonSchema", value: { name: "n", schemaJson: '{"type":"object"}' } } },
      providerOptions: { anthropic: { output_config: { new: 1 } } },
    });
    expect(body).toMatchObject({
      output_config: { new: 1, format: { type: "json_schema", schema: { type: "object" } } },
    });
  });

  it("keeps a system message after a user turn in place if the model accepts it", () => {
    const later = { role: Role.SYSTEM, parts: [text("Be brief.")] };
    const said = { role: Role.ASSISTANT, parts: [text("Hello")] };
    expect(translate("claude-opus-5-5", { messages: [user, later, said, user] })).toMatchObject({
      limits: [],
      body: { messages: [{ role: "user" }, { role: "system" }, { role: "assistant" }, { role: "user" }] },
    });
    const body = { system: [{ type: "text", text: "Be brief." }] };
    expect(translate("claude-opus-4-7", { messages: [user, later, said, user] })).toMatchObject({
      limits: ["EMULATED messages[1]"],
      body,
    });
    expect(translate("claude-opus-5-5", { messages: [user, said, later, user] })).toMatchObject({
      limits: ["EMULATED messages[2]"],
      body,
    });
  });

  it("merges turns of one role", () => {
    const call = { case: "toolCall" as const, value: { id: "a", name: "f", argumentsJson: "{}" } };
    const result = { case: "toolResult" as const, value: { toolCallId: "a" } };
    const { body } = translate("claude-opus-5-5", {
      messages: [
        user,
        { role: Role.ASSISTANT, parts: [{ kind: call }] },
        { role: Role.TOOL, parts: [{ kind: result }] },
        user,
      ],
    });
    expect(body).toMatchObject({
      messages: [
        { role: "user" },
        { role: "assistant" },
        { role: "user", content: [{ type: "tool_result", tool_use_id: "a" }, { type: "text" }] },
      ],
    });
  });

  it("keeps the last four cache hints in the order tools, messages", () => {
    const hinted = { ...text("x"), cacheHint: {} };
    const { limits, body } = translate("claude-opus-5-5", {
      tools: [functionTool({ name: "f", cacheHint: {} })],
      messages: [{ role: Role.USER, parts: [hinted, hinted, hinted, hinted, { ...text(""), cacheHint: {} }] }],
    });
    expect(limits).toEqual(["EMULATED tools[0].cache_hint", "EMULATED messages[0].parts[4].cache_hint"]);
    const json = JSON.stringify(body);
    expect(json.match(/cache_control/g)).toHaveLength(4);
    expect(json).not.toMatch(/"tools":\[[^\]]*cache_control/);
  });

  it("omits the reasoning of earlier turns on request, unless the model requires it", () => {
    const providerState = { provider: "anthropic", model: "", data: Buffer.from("sig") };
    const thought = { kind: { case: "reasoning" as const, value: { text: "hm" } }, providerState };
    const messages = [user, { role: Role.ASSISTANT, parts: [thought, text("Hello")] }, user];
    const reasoning = { clearEarlierReasoning: true };
    expect(JSON.stringify(translate("claude-sonnet-4-6", { messages, reasoning }).body)).not.toContain("sig");
    const bound = translate("claude-opus-5-5", { messages, reasoning });
    expect(bound.limits).toEqual(["UNSUPPORTED_PARAMETER reasoning.clear_earlier_reasoning"]);
    expect(JSON.stringify(bound.body)).toContain("sig");
  });

  it("never sends another model's reasoning", () => {
    const model = modelNamed("claude-opus-5-5");
    const providerState = { provider: "anthropic", model: "claude-opus-5", data: Buffer.from("sig") };
    const thought = { kind: { case: "reasoning" as const, value: { text: "hm" } }, providerState };
    const request = create(ChatRequestSchema, {
      messages: [user, { role: Role.ASSISTANT, parts: [thought, text("Hello")] }, user],
    });
    const prepared = prepareMessages(request, model, profiles.plain);
    expect(JSON.stringify(offline.describe(prepared, model))).not.toContain("thinking");
    expect(offline.checkSupport(prepared, model).map(({ kind }) => kind)).toEqual(["EMULATED"]);
  });
});

describe("a call to Anthropic", () => {
  const open: (() => PromiseLike<unknown> | undefined)[] = [];
  afterEach(async () => {
    for (const close of open.splice(0)) await close();
  });

  async function ask(wire: string, fields: Fields = {}, headers: Readonly<Record<string, string>> = {}) {
    const upstream = await startReplayUpstream({ headers, steps: [{ write: wire }] });
    const adapter: Adapter = createAdapter(upstream.baseUrl);
    open.push(
      () => adapter.close?.(),
      () => upstream[Symbol.asyncDispose](),
    );
    const attempt = create(AttemptSchema, { provider: "anthropic", providerModel: "claude-opus-5-5" });
    const request = create(ChatRequestSchema, { messages: [user], ...fields });
    const fold = createFold();
    let error: GatewayError | undefined;
    try {
      const context = {
        signal: new AbortController().signal,
        holder: "account:a",
        attempt,
        queue: { waitsFor: undefined },
      };
      for await (const batch of adapter.stream(request, modelNamed("claude-opus-5-5"), context)) {
        for (const event of batch) fold.add(event);
      }
    } catch (failure) {
      if (!(failure instanceof GatewayError)) throw failure;
      error = failure;
    }
    return { completion: fold.completion, error, attempt, sent: upstream.requests[0] };
  }

  const data = (event: object) => `data: ${JSON.stringify(event)}\n\n`;
  const start = (id: string) => data({ type: "message_start", message: { id } });
  const say = (words: string) =>
    data({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } }) +
    data({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text: words } }) +
    data({ type: "content_block_stop", index: 0 });
  const end = data({ type: "message_delta", delta: { stop_reason: "end_turn" } }) + data({ type: "message_stop" });

  it("sends the API version and the key in headers, and records the ids", async () => {
    const { sent, attempt } = await ask(start("msg_1") + say("Hi") + end, {}, { "request-id": "req_1" });
    expect(sent).toMatchObject({ method: "POST", path: "/v1/messages" });
    expect(sent?.headers).toMatchObject({ "anthropic-version": "2023-06-01", "x-api-key": "sk-test-key" });
    expect(sent?.headers).not.toHaveProperty("authorization");
    expect(attempt).toMatchObject({ providerRequestId: "req_1", providerResponseId: "msg_1", httpStatus: 200 });
  });

  it("preserves key order and digits in tool arguments and schemas", async () => {
    const argumentsJson = '{"b":1,"2":{"9":0,"1":0},"id":12345678901234567890}';
    const schema = '{ "type":"object", "properties":{"b":{},"1":{}} }';
    const call = { case: "toolCall" as const, value: { id: "a", name: "f", argumentsJson } };
    const messages = [user, { role: Role.ASSISTANT, parts: [{ kind: call }] }, user];
    const { sent } = await ask(start("m") + end, {
      messages,
      tools: [functionTool({ name: "f", parametersJsonSchema: schema })],
    });
    expect(sent?.body).toContain(`"input":${argumentsJson}`);
    expect(sent?.body).toContain(`"input_schema":${schema}`);
  });

  it("allows a fallback if an overload error is the first event", async () => {
    const overload = { type: "error", error: { details: null, type: "overloaded_error", message: "Overloaded" } };
    const { error } = await ask(data(overload));
    expect(error).toMatchObject({
      reason: "PROVIDER_UNAVAILABLE",
      facts: { provider: { code: "overloaded_error", outputStarted: false } },
    });
  });

  it("starts new blocks at a message_start with a new id, ignores a repeated one", async () => {
    const { completion } = await ask(start("msg_1") + start("msg_1") + say("a") + start("msg_2") + say("b") + end);
    expect(completion.choices[0]?.message?.parts.map(({ kind }) => kind.value)).toEqual(["a", "b"]);
    expect(completion.choices[0]?.finishReason).toBe(FinishReason.STOP);
  });

  it("keeps deltas of a block that has no content_block_start", async () => {
    const more = (index: number, delta: object) => data({ type: "content_block_delta", index, delta });
    const { completion } = await ask(
      start("m") +
        more(0, { type: "thinking_delta", thinking: "Hm" }) +
        more(1, { type: "text_delta", text: "Hi" }) +
        more(1, { type: "text_delta", text: "!" }) +
        end,
    );
    expect(completion.choices[0]?.message?.parts.map(({ kind }) => kind)).toMatchObject([
      { case: "reasoning", value: { text: "Hm" } },
      { case: "text", value: "Hi!" },
    ]);
    const { error } = await ask(start("m") + more(0, { type: "input_json_delta", partial_json: "{" }) + end);
    expect(error?.reason).toBe("PROVIDER_FAULT");
  });

  it("reads a whole message, which some proxies send although a stream was requested", async () => {
    const content = [
      { type: "thinking", thinking: "Hm", signature: "sig" },
      { type: "server_tool_use", id: "s1", name: "web_search", input: { q: "x" } },
      { type: "later_block", x: 1 },
      { type: "text", text: "Hi" },
    ];
    const call = '{"type":"tool_use","id":"t","name":"f","input":{"id":9007199254740993}}';
    const json = JSON.stringify({
      ...{ id: "msg_9", type: "message", role: "assistant", model: "m", content: [...content, "CALL"] },
      ...{ stop_reason: "tool_use", usage: { input_tokens: 3, output_tokens: 2 }, container: { id: "c" } },
    }).replace('"CALL"', call);
    const { completion, error, attempt } = await ask(json, {}, { "content-type": "application/json" });
    expect(error).toBeUndefined();
    expect(attempt.providerResponseId).toBe("msg_9");
    expect(completion.choices[0]?.message?.parts.map(({ kind }) => kind)).toMatchObject([
      { case: "reasoning", value: { text: "Hm" } },
      { case: "serverToolCall", value: { id: "s1", inputJson: '{"q":"x"}' } },
      { case: "serverToolResult", value: { outputJson: '{"type":"later_block","x":1}' } },
      { case: "text", value: "Hi" },
      { case: "toolCall", value: { id: "t", argumentsJson: '{"id":9007199254740993}' } },
    ]);
    expect(completion.choices[0]).toMatchObject({
      finishReason: FinishReason.TOOL_CALLS,
      providerMetadataJson: '{"container":{"id":"c"},"model":"m"}',
    });
    expect(completion.usage).toMatchObject({ inputTokens: 3, outputTokens: 2 });
  });

  it("accepts an empty message without a finish reason", async () => {
    const { error } = await ask(data({ type: "message_start", message: { id: "m" } }) + data({ type: "message_stop" }));
    expect(error).toBeUndefined();
  });

  it("does not take JSON of another API for an empty response", async () => {
    const json = JSON.stringify({ type: "completion", completion: "Hi" });
    const { error } = await ask(json, {}, { "content-type": "application/json" });
    expect(error?.reason).toBe("PROVIDER_FAULT");
  });

  it("reads tool input that arrives whole in content_block_start", async () => {
    const block = { type: "tool_use", id: "toolu_1", name: "f", input: { city: "Oslo" } };
    const { completion } = await ask(
      start("m") +
        data({ type: "content_block_start", index: 1, content_block: block }) +
        data({ type: "message_delta", delta: { stop_reason: "tool_use" } }),
    );
    expect(completion.choices[0]?.message?.parts[0]?.kind.value).toMatchObject({ argumentsJson: '{"city":"Oslo"}' });
    expect(completion.choices[0]?.finishReason).toBe(FinishReason.TOOL_CALLS);
  });
});
