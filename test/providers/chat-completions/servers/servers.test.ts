import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import type { ChatEvent } from "../../../../src/chat/stream/events.ts";
import { createFold } from "../../../../src/chat/stream/fold.ts";
import { formatPath } from "../../../../src/field-path.ts";
import { MessageSchema, Role } from "../../../../src/gen/dragoman/v1/message_pb.js";
import { ReasoningEffort, ReasoningFormat } from "../../../../src/gen/dragoman/v1/reasoning_pb.js";
import { answer, declared, modelOf, text, thought, toolCall } from "../../../contract/fixtures/chat-completions.ts";
import { startReplayUpstream } from "../../../support/replay-upstream.ts";
import { functionTool } from "../../../support/tools.ts";
import { collect, context, request } from "../harness.ts";

type Asked = Parameters<typeof request>[0];

/** Returns the body for a server, without applying adaptations. */
function body(server: string, asked: Asked) {
  const sent = declared(server)("http://127.0.0.1:9").describe(request(asked), modelOf(server, "m"));
  return JSON.parse(JSON.stringify(sent));
}

function limits(server: string, asked: Asked, model = modelOf(server, "m")) {
  const found = declared(server)("http://127.0.0.1:9").checkSupport(request(asked), model);
  return found.map(({ kind, field }) => `${kind} ${formatPath(field)}`);
}

const effort = (value: ReasoningEffort) => ({ reasoning: { control: { case: "effort" as const, value } } });
const budget = (value: number) => ({ reasoning: { control: { case: "budgetTokens" as const, value } } });

describe("reasoning effort and budget", () => {
  it.each([
    ["together", effort(ReasoningEffort.NONE), { reasoning: { enabled: false } }],
    ["together", effort(ReasoningEffort.LOW), { reasoning_effort: "low" }],
    ["fireworks", budget(2000), { reasoning_effort: 2000 }],
    ["fireworks", budget(0), { reasoning_effort: "none" }],
    ["openrouter", effort(ReasoningEffort.XHIGH), { reasoning: { effort: "xhigh" } }],
    ["openrouter", budget(2000), { reasoning: { max_tokens: 2000 } }],
    ["openrouter", budget(0), { reasoning: { enabled: false } }],
    ["sglang", effort(ReasoningEffort.NONE), { reasoning: { enabled: false } }],
    ["sglang", effort(ReasoningEffort.LOW), { reasoning_effort: "low" }],
    ["ollama", effort(ReasoningEffort.NONE), { reasoning_effort: "none" }],
    ["deepseek", effort(ReasoningEffort.NONE), { thinking: { type: "disabled" } }],
    ["deepseek", effort(ReasoningEffort.MAX), { thinking: { type: "enabled" }, reasoning_effort: "max" }],
  ])("sends an effort or budget to %s in its format", (server, asked, sent) => {
    expect(body(server, asked)).toMatchObject(sent);
  });

  it("rejects efforts that the server does not support", () => {
    expect(limits("groq", effort(ReasoningEffort.MAX))).toEqual(["REJECTED reasoning.effort"]);
    expect(limits("deepseek", effort(ReasoningEffort.LOW))).toEqual(["REJECTED reasoning.effort"]);
  });

  it("supports raw reasoning only at Groq", () => {
    const raw = { reasoning: { format: ReasoningFormat.RAW } };
    expect(limits("groq", raw)).toEqual([]);
    expect(body("groq", raw)).toMatchObject({ reasoning_format: "raw" });
    expect(limits("groq", { ...raw, tools: [functionTool({ name: "f" })] })).toEqual([
      "UNSUPPORTED_PARAMETER reasoning.format",
    ]);
    expect(limits("together", raw)).toEqual(["UNSUPPORTED_PARAMETER reasoning.format"]);
  });
});

describe("what servers would otherwise do silently", () => {
  it("forbids silent truncation, and dropped parameters if the caller is strict", () => {
    expect(body("together", {})).toMatchObject({ context_length_exceeded_behavior: "error" });
    expect(body("fireworks", {})).toMatchObject({ context_length_exceeded_behavior: "error" });
    expect(body("openrouter", {})).not.toHaveProperty("provider");
    expect(body("openrouter", { strictParameters: true })).toMatchObject({ provider: { require_parameters: true } });
  });

  it("reports values above the maximum, and fields that reasoning models reject", () => {
    const parameters = { topK: 101, topLogprobs: 6, logprobs: true, repetitionPenalty: 2.5 };
    expect(limits("fireworks", { parameters })).toEqual([
      "ADJUSTED parameters.top_k",
      "ADJUSTED parameters.repetition_penalty",
      "ADJUSTED parameters.top_logprobs",
    ]);
    const penalties = { parameters: { presencePenalty: 1, stopSequences: ["x"] } };
    expect(limits("xai", penalties)).toEqual([]);
    expect(limits("xai", penalties, modelOf("xai", "m", { capabilities: { reasoning: true } }))).toEqual([
      "UNSUPPORTED_PARAMETER parameters.presence_penalty",
      "UNSUPPORTED_PARAMETER parameters.stop_sequences",
    ]);
  });

  it.each([
    ["grok-3-mini", true, true],
    ["grok-3", false, false],
    ["grok-4-fast-non-reasoning", false, false],
    ["grok-4.20-0309-non-reasoning", false, false],
    ["grok-4-0709", true, false],
    ["grok-4-1-fast-reasoning", true, false],
    ["grok-4.20-0309-reasoning", true, false],
    ["grok-code-fast-1", true, false],
    ["grok-4.3", true, true],
    ["grok-latest", true, true],
    ["grok-6", true, true],
  ])("knows of %s whether it reasons (%s) and takes efforts (%s)", (name, reasons, takesEfforts) => {
    const model = modelOf("xai", name);
    expect(limits("xai", { parameters: { stopSequences: ["x"] } }, model)).toHaveLength(reasons ? 1 : 0);
    expect(limits("xai", effort(ReasoningEffort.HIGH), model)).toEqual(
      takesEfforts ? [] : ["UNSUPPORTED_PARAMETER reasoning.effort"],
    );
    const declared = modelOf("xai", name, { supportedParameters: ["reasoning.effort"] });
    expect(limits("xai", effort(ReasoningEffort.HIGH), declared)).toEqual([]);
  });

  it.each([
    ["openai/gpt-oss-120b", [ReasoningEffort.LOW, ReasoningEffort.MEDIUM, ReasoningEffort.HIGH]],
    ["qwen/qwen3-32b", [ReasoningEffort.NONE]],
  ] as const)("sends Groq's %s only its efforts", (name, efforts) => {
    const model = modelOf("groq", name);
    const { NONE, LOW, MEDIUM, HIGH } = ReasoningEffort;
    for (const value of [NONE, LOW, MEDIUM, HIGH]) {
      expect(limits("groq", effort(value), model).length).toBe(efforts.some((one) => one === value) ? 0 : 1);
      const declared = modelOf("groq", name, { reasoningEfforts: [NONE, LOW, MEDIUM, HIGH] });
      expect(limits("groq", effort(value), declared)).toEqual([]);
    }
  });

  it("reports that sampling fields have no effect while DeepSeek reasons", () => {
    const parameters = { temperature: 0.5, topP: 0.9, presencePenalty: 1, frequencyPenalty: 0, logprobs: true };
    const ignored = ["temperature", "top_p", "presence_penalty", "logprobs"].map(
      (field) => `UNSUPPORTED_PARAMETER parameters.${field}`,
    );
    expect(limits("deepseek", { parameters })).toEqual(ignored);
    expect(limits("deepseek", { parameters, ...effort(ReasoningEffort.HIGH) })).toEqual(ignored);
    expect(limits("deepseek", { parameters, ...effort(ReasoningEffort.NONE) })).toEqual([]);
    const plain = modelOf("deepseek", "m", { capabilities: { reasoning: false } });
    expect(limits("deepseek", { parameters }, plain)).toEqual([]);
  });

  it.each([
    ["deepinfra", 0],
    ["fireworks", 0],
    ["llamacpp", 0],
    ["vllm", -1],
    ["sglang", -1],
    ["together", -1],
  ])("turns top_k off with %s's value %i", (server, off) => {
    expect(body(server, { parameters: { topK: 0 } })).toMatchObject({ top_k: off });
    expect(body(server, { parameters: { topK: -1 } })).toMatchObject({ top_k: off });
  });

  it("rejects images, tools and JSON formats that a server does not support", () => {
    const image = { source: { case: "data" as const, value: Uint8Array.of(1) }, mediaType: "image/png" };
    const messages = [{ role: Role.USER, parts: [{ kind: { case: "media" as const, value: image } }] }];
    expect(limits("deepseek", { messages })).toEqual(["REJECTED messages[0].parts[0].media"]);
    expect(limits("perplexity", { tools: [functionTool({ name: "f" })] })).toEqual(["REJECTED tools"]);
    const schema = { case: "jsonSchema" as const, value: { name: "a", schemaJson: "{}" } };
    expect(limits("deepseek", { outputFormat: { format: schema } })).toEqual(["REJECTED output_format.json_schema"]);
    const object = { case: "jsonObject" as const, value: {} };
    expect(limits("perplexity", { outputFormat: { format: object } })).toEqual(["REJECTED output_format.json_object"]);
  });
});

describe("several choices", () => {
  it("limits the choices per request to what the server supports", () => {
    const most = (server: string) => declared(server)("http://127.0.0.1:9").maxChoices;
    expect(["openai", "vllm", "together", "xai"].map(most)).toEqual([undefined, undefined, undefined, undefined]);
    expect(["groq", "deepseek", "openrouter", "ollama", "perplexity"].map(most)).toEqual([1, 1, 1, 1, 1]);
    expect(most("deepinfra")).toBe(4);
  });
});

describe("log probabilities at Together", () => {
  it("sends the number of top tokens as logprobs", () => {
    expect(body("together", { parameters: { logprobs: true } })).toMatchObject({ logprobs: 1 });
    expect(body("together", { parameters: { logprobs: true, topLogprobs: 7 } })).toMatchObject({ logprobs: 7 });
    expect(body("together", { parameters: { logprobs: false, topLogprobs: 0 } })).not.toHaveProperty("logprobs");
  });
});

describe("regex output at DeepInfra", () => {
  it("sends a regex as response_format", () => {
    const outputFormat = { format: { case: "regex" as const, value: { pattern: "[0-9]{3}" } } };
    expect(body("deepinfra", { outputFormat })).toMatchObject({
      response_format: { type: "regex", regex: "[0-9]{3}" },
    });
  });
});

describe("reasoning at DeepSeek", () => {
  const turn = (parts: Parameters<typeof create<typeof MessageSchema>>[1]) => create(MessageSchema, parts);
  const messages = (reasoning: boolean) => [
    turn({ role: Role.USER, parts: [text("a")] }),
    turn({ role: Role.ASSISTANT, parts: [thought("Hm."), text("b")] }),
    turn({ role: Role.USER, parts: [text("c")] }),
    turn({
      role: Role.ASSISTANT,
      parts: [...(reasoning ? [thought("So.")] : []), toolCall("call_a", "f", "{}")],
    }),
  ];

  it("sends reasoning back with tool calls, even if it is empty or cleared", () => {
    const sent = body("deepseek", { messages: messages(true), reasoning: { clearEarlierReasoning: true } }).messages;
    expect(sent[1]).toEqual({ role: "assistant", content: "b" });
    expect(sent[3]).toMatchObject({ content: null, reasoning_content: "So." });
    expect(body("deepseek", { messages: messages(false) }).messages[3]).toMatchObject({ reasoning_content: "" });
  });
});

describe("the reasoning details of OpenRouter", () => {
  const fragments = [
    { reasoning: "Let ", reasoning_details: [{ type: "reasoning.text", text: "Let ", format: "a", index: 0 }] },
    { reasoning: "me.", reasoning_details: [{ type: "reasoning.text", text: "me.", format: "a", index: 0 }] },
    { reasoning_details: [{ type: "reasoning.text", signature: "sig", format: "a", index: 0 }] },
    { reasoning_details: [{ type: "reasoning.encrypted", data: "xyz", id: "rs_1", index: 1 }] },
    { tool_calls: [{ index: 0, id: "call_a", type: "function", function: { name: "f", arguments: "{}" } }] },
  ];
  const joined = [
    { type: "reasoning.text", text: "Let me.", format: "a", index: 0, signature: "sig" },
    { type: "reasoning.encrypted", data: "xyz", id: "rs_1", index: 1 },
  ];
  const wire = answer({ usagePlace: "last chunk" }, fragments, "tool_calls");

  async function ask(format: ReasoningFormat) {
    await using upstream = await startReplayUpstream({ steps: [{ write: wire }] });
    const openRouter = declared("openrouter")(upstream.baseUrl);
    const asked = request({ reasoning: { format } });
    const { events } = await collect(openRouter.stream(asked, modelOf("openrouter", "m"), context()));
    await openRouter.close?.();
    return fold(events);
  }

  function fold(events: readonly ChatEvent[]) {
    const completion = createFold();
    for (const event of events) completion.add(event);
    return completion.completion.choices[0]?.message ?? expect.fail("the response has no choice");
  }

  it("sends merged details back with tool calls, even if reasoning is cleared", async () => {
    const message = await ask(ReasoningFormat.PARSED);
    expect(message.parts[0]).toMatchObject({ kind: { value: { text: "Let me." } } });
    const next = create(MessageSchema, { role: Role.USER, parts: [text("go on")] });
    const sent = body("openrouter", { messages: [message, next], reasoning: { clearEarlierReasoning: true } });
    expect(sent.messages[0].reasoning_details).toEqual(joined);
    expect(sent.messages[0]).not.toHaveProperty("reasoning");
  });

  it("keeps reasoning details if the reasoning text is hidden", async () => {
    const message = await ask(ReasoningFormat.HIDDEN);
    expect(message.parts[0]).toMatchObject({ kind: { case: "reasoning", value: { text: "" } } });
    expect(body("openrouter", { messages: [message] }).messages[0].reasoning_details).toEqual(joined);
  });

  it("rejects reasoning details that the caller has changed", async () => {
    const state = { provider: "openrouter", model: "m", data: Buffer.from("{") };
    const message = create(MessageSchema, { role: Role.ASSISTANT, parts: [{ ...thought("a"), providerState: state }] });
    expect(() => body("openrouter", { messages: [message] })).toThrow(
      expect.objectContaining({ reason: "INVALID_REQUEST" }),
    );
  });
});

describe("a response without streaming", () => {
  async function complete(server: string, answered: object) {
    await using upstream = await startReplayUpstream({
      headers: { "content-type": "application/json" },
      // DeepSeek sends blank lines to keep the connection open.
      steps: [{ write: `\n\n${JSON.stringify(answered)}` }],
    });
    const adapter = declared(server)(upstream.baseUrl);
    const { events } = await collect(adapter.complete?.(request(), modelOf(server, "m"), context()) ?? expect.fail());
    await adapter.close?.();
    expect(JSON.parse(upstream.requests[0]?.body ?? "")).toMatchObject({ stream: false });
    return events;
  }
  const whole = (message: object, more: object = {}) => ({
    choices: [{ index: 0, message: { role: "assistant", ...message }, finish_reason: "stop", ...more }],
  });

  it("sends OpenRouter's reasoning details back unchanged", async () => {
    const details = [
      { type: "reasoning.text", text: "A", index: 0 },
      { type: "reasoning.text", text: "B", index: 0 },
    ];
    const events = await complete("openrouter", whole({ content: "Hi", reasoning: "AB", reasoning_details: details }));
    const completion = createFold();
    for (const event of events) completion.add(event);
    const message = completion.completion.choices[0]?.message ?? expect.fail("the response has no choice");
    expect(body("openrouter", { messages: [message] }).messages[0].reasoning_details).toEqual(details);
  });

  it("reads Together's log probabilities from two lists", async () => {
    const logprobs = { tokens: ["H", "i"], token_logprobs: [null, -0.5], token_ids: [1, 2] };
    const events = await complete("together", whole({ content: "Hi" }, { logprobs }));
    expect(events[1]?.value).toMatchObject({ logprobs: { tokens: [{ token: "i", logprob: -0.5 }] } });
  });

  it("reads Groq's timings from the usage", async () => {
    const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3, queue_time: 0.5, total_time: 2 };
    const events = await complete("groq", { ...whole({ content: "Hi" }), usage });
    expect(events.at(-1)?.value).toMatchObject({
      timeInfo: { queueDuration: { seconds: 0n, nanos: 500_000_000 }, providerDuration: { seconds: 2n, nanos: 0 } },
    });
  });
});

describe("a schema", () => {
  it("sends a schema with its key order and all digits of its numbers", async () => {
    await using upstream = await startReplayUpstream({
      steps: [{ write: answer({ usagePlace: "last chunk" }, [], "stop") }],
    });
    const openAi = declared("openai")(upstream.baseUrl);
    const parametersJsonSchema = '{"properties":{"10":{},"2":{"const":12345678901234567890}}}';
    const asked = request({
      tools: [functionTool({ name: "f", parametersJsonSchema })],
      parameters: { seedValue: { case: "seed", value: 18446744073709551615n } },
    });
    await collect(openAi.stream(asked, modelOf("openai", "gpt-4o"), context()));
    await openAi.close?.();
    expect(upstream.requests[0]?.body).toContain(`"parameters":${parametersJsonSchema}`);
    expect(upstream.requests[0]?.body).toContain('"seed":18446744073709551615');
  });
});
