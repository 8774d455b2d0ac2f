import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { Role } from "../../../src/gen/dragoman/v1/message_pb.js";
import { ModelSchema } from "../../../src/gen/dragoman/v1/model_pb.js";
import { ReasoningEffort, ReasoningFormat } from "../../../src/gen/dragoman/v1/reasoning_pb.js";
import { ToolChoiceMode } from "../../../src/gen/dragoman/v1/tool_pb.js";
import { checkSupport } from "../../../src/providers/cohere/adaptations.ts";
import { toRequest } from "../../../src/providers/cohere/request.ts";
import { applyAdaptations } from "../../support/planning.ts";
import { startReplayUpstream } from "../../support/replay-upstream.ts";
import { functionTool } from "../../support/tools.ts";
import { adapter, brief, collect, context, request } from "../chat-completions/harness.ts";

const model = create(ModelSchema, { id: "cohere/command-x", provider: "cohere", providerModel: "command-x" });

/** Returns the body for a request, with its adaptations applied. */
function sent(fields: Parameters<typeof request>[0]): Record<string, unknown> {
  const asked = request(fields);
  const limited = applyAdaptations(asked, checkSupport(asked, model)).request;
  return JSON.parse(JSON.stringify(toRequest(limited, model, "cohere")));
}

async function answerTo(asked: ReturnType<typeof request>, ...events: readonly object[]) {
  // The body never ends, so the adapter has to stop at message-end.
  const write = events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("");
  await using upstream = await startReplayUpstream({ steps: [{ write }, { hold: new Promise(() => {}) }] });
  const cohere = adapter(upstream.baseUrl, {}, "cohere");
  const outcome = await collect(cohere.stream(asked, model, context()));
  await cohere.close?.();
  return { ...outcome, body: upstream.requests[0]?.body ?? "", path: upstream.requests[0]?.path };
}

const messageEnd = (finish_reason: string) => ({ type: "message-end", delta: { finish_reason } });

const searchResult = {
  kind: { case: "searchResult" as const, value: { source: "https://a.example", title: "Roads", texts: ["far"] } },
};
const question = { kind: { case: "text" as const, value: "How far?" } };
const look = { kind: { case: "toolCall" as const, value: { id: "c", name: "look", argumentsJson: "{}" } } };

test("sends search results of tools as documents, which the model cites", () => {
  const value = { toolCallId: "c", parts: [searchResult, question] };
  const result = { kind: { case: "toolResult" as const, value } };
  const body = sent({
    tools: [functionTool({ name: "look" })],
    messages: [
      { role: Role.USER, parts: [question] },
      { role: Role.ASSISTANT, parts: [look] },
      { role: Role.TOOL, parts: [result] },
    ],
  });
  expect(body).not.toHaveProperty("citation_options");
  expect(body.messages).toMatchObject([
    {},
    {},
    {
      content: [
        { type: "document", document: { data: { title: "Roads", url: "https://a.example", text: "far" } } },
        { type: "text", text: "How far?" },
      ],
    },
  ]);
});

test.each([
  ["JSON output", { outputFormat: { format: { case: "jsonObject", value: {} } } }, [question, searchResult]],
  ["tools", { tools: [functionTool({ name: "look" })] }, [question, searchResult]],
  ["a message of documents only", {}, [searchResult]],
] as const)("sends documents as text, with a warning, for %s", (_, fields, parts) => {
  const asked = request({ ...fields, messages: [{ role: Role.USER, parts: [...parts] }] } as Parameters<
    typeof request
  >[0]);
  const { request: limited, warnings } = applyAdaptations(asked, checkSupport(asked, model));
  const body = JSON.stringify(toRequest(limited, model, "cohere"));
  expect(body).not.toContain('"documents"');
  expect(body).toContain("Roads\\nSource: https://a.example\\n\\nfar");
  expect(warnings).toContainEqual(
    expect.objectContaining({ reason: "EMULATED", field: `messages[0].parts[${parts.length - 1}]` }),
  );
});

test("sends the seed and the schemas exactly as written", async () => {
  const schema = '{"type":"object","properties":{"b":{"maximum":1.0},"10":{},"a":{}}}';
  const asked = request({
    parameters: { seedValue: { case: "seed", value: 18446744073709551615n } },
    tools: [functionTool({ name: "f", parametersJsonSchema: schema })],
  });
  const { body, path, events } = await answerTo(asked, messageEnd("COMPLETE"));
  expect(path).toBe("/v2/chat");
  expect(body).toContain('"seed":18446744073709551615');
  expect(body).toContain(`"parameters":${schema}`);
  expect(brief(events)).toEqual(["started", "finished 0 1 COMPLETE", "completed"]);
});

test.each([
  ["ERROR", "PROVIDER_UNAVAILABLE"],
  ["TIMEOUT", "PROVIDER_TIMEOUT"],
])("reports the finish reason %s before output as %s", async (word, reason) => {
  const { events, error } = await answerTo(request(), messageEnd(word));
  expect(brief(events)).toEqual(["started"]);
  expect(error).toMatchObject({ reason, facts: { provider: { code: word } } });
});

test("drops hidden reasoning and the tool plan", async () => {
  const { events } = await answerTo(
    request({ reasoning: { format: ReasoningFormat.HIDDEN } }),
    { type: "content-delta", index: 0, delta: { message: { content: { thinking: "hm" } } } },
    { type: "tool-plan-delta", delta: { message: { tool_plan: "I will" } } },
    { type: "content-delta", index: 1, delta: { message: { content: { text: "4" } } } },
    messageEnd("COMPLETE"),
  );
  expect(brief(events)).toEqual(["started", "text 0.0 4", "finished 0 1 COMPLETE", "completed"]);
});

test("reports a tool call without a start as PROVIDER_FAULT", async () => {
  const { error } = await answerTo(request(), {
    type: "tool-call-delta",
    index: 0,
    delta: { message: { tool_calls: { function: { arguments: "{" } } } },
  });
  expect(error).toMatchObject({ reason: "PROVIDER_FAULT" });
});

test("uses billed units if the token counts are missing", async () => {
  const usage = { billed_units: { input_tokens: 3, output_tokens: 2 } };
  const { events } = await answerTo(request(), { type: "message-end", delta: { finish_reason: "COMPLETE", usage } });
  expect(events.at(-1)?.value).toMatchObject({ usage: { inputTokens: 3, outputTokens: 2, totalTokens: 5 } });
});

test("keeps p within 0.01 and 0.99, k at 0 for off, and penalties at 0 or above", () => {
  const limits = { topP: 1, topK: -1, presencePenalty: -2, frequencyPenalty: 2, temperature: 2 };
  const body = sent({ parameters: limits });
  expect(body).toMatchObject({ p: 0.99, k: 0, frequency_penalty: 1, temperature: 1 });
  expect(body).not.toHaveProperty("presence_penalty");
  expect(sent({ parameters: { topP: 0.001 } })).toMatchObject({ p: 0.01 });
});

test("omits a penalty of 0, since some models support only one penalty", () => {
  const both = sent({ parameters: { presencePenalty: 0.5, frequencyPenalty: 0.5 } });
  expect(both).toMatchObject({ presence_penalty: 0.5, frequency_penalty: 0.5 });
  const one = sent({ parameters: { presencePenalty: 0, frequencyPenalty: 0.5 } });
  expect(one).toMatchObject({ frequency_penalty: 0.5 });
  expect(one).not.toHaveProperty("presence_penalty");
});

test("sends a schema as json_object, and adds a missing description to it", () => {
  const format = (value: { schemaJson: string; description?: string }) =>
    sent({ outputFormat: { format: { case: "jsonSchema", value: { name: "s", ...value } } } }).response_format;
  const type = "json_object";
  expect(format({ schemaJson: '{"type":"object"}' })).toEqual({ type, json_schema: { type: "object" } });
  expect(format({ schemaJson: ' {"type":"object"}', description: 'a "b"' })).toEqual({
    type,
    json_schema: { description: 'a "b"', type: "object" },
  });
  expect(format({ schemaJson: "{ }", description: "d" })).toEqual({ type, json_schema: { description: "d" } });
  expect(format({ schemaJson: '{"description":"own"}', description: "d" })).toEqual({
    type,
    json_schema: { description: "own" },
  });
  expect(sent({ outputFormat: { format: { case: "jsonObject", value: {} } } }).response_format).toEqual({ type });
});

test("sends only the named tool", () => {
  const tools = [functionTool({ name: "now" }), functionTool({ name: "weather" })];
  expect(sent({ tools, toolChoice: { choice: { case: "toolName", value: "weather" } } })).toMatchObject({
    tools: [{ function: { name: "weather" } }],
    tool_choice: "REQUIRED",
  });
  expect(sent({ tools, toolChoice: { choice: { case: "mode", value: ToolChoiceMode.NONE } } })).toMatchObject({
    tools: [{}, {}],
    tool_choice: "NONE",
  });
  const auto = sent({ tools, toolChoice: { choice: { case: "mode", value: ToolChoiceMode.AUTO } } });
  expect(auto).not.toHaveProperty("tool_choice");
  expect(auto).not.toHaveProperty("strict_tools");
});

test("turns thinking on or off, or sets its budget", () => {
  const thinking = (control: NonNullable<NonNullable<Parameters<typeof request>[0]>["reasoning"]>["control"]) =>
    sent({ reasoning: { ...(control && { control }) } }).thinking;
  expect(thinking(undefined)).toBeUndefined();
  expect(thinking({ case: "effort", value: ReasoningEffort.NONE })).toEqual({ type: "disabled" });
  expect(thinking({ case: "effort", value: ReasoningEffort.LOW })).toEqual({ type: "enabled" });
  expect(thinking({ case: "budgetTokens", value: 0 })).toEqual({ type: "disabled" });
  expect(thinking({ case: "budgetTokens", value: 9 })).toEqual({ type: "enabled", token_budget: 9 });
});

test("sends text beside tool calls as their plan, since Cohere rejects it as content", () => {
  const parts = [
    { kind: { case: "text" as const, value: "Let me look." } },
    { kind: { case: "toolCall" as const, value: { id: "c1", name: "now" } } },
  ];
  const { messages } = sent({ messages: [{ role: Role.ASSISTANT, parts }] });
  expect(messages).toEqual([
    {
      role: "assistant",
      tool_calls: [{ id: "c1", type: "function", function: { name: "now", arguments: "{}" } }],
      tool_plan: "Let me look.",
    },
  ]);
});

test("drops earlier reasoning if the request clears it", () => {
  const messages = [
    {
      role: Role.ASSISTANT,
      parts: [
        { kind: { case: "reasoning" as const, value: { text: "hm" } } },
        { kind: { case: "text" as const, value: "4" } },
      ],
    },
    { role: Role.USER, parts: [{ kind: { case: "text" as const, value: "sure?" } }] },
  ];
  const thinking = { type: "thinking", thinking: "hm" };
  expect(sent({ messages }).messages).toMatchObject([{ content: [thinking, { type: "text", text: "4" }] }, {}]);
  const cleared = sent({ messages, reasoning: { clearEarlierReasoning: true } });
  expect(cleared.messages).toMatchObject([{ content: "4" }, {}]);
});

test("sends earlier reasoning only as tool plans if reasoning is off", () => {
  const asked = request({
    messages: [
      {
        role: Role.ASSISTANT,
        parts: [
          { kind: { case: "reasoning", value: { text: "look" } } },
          { kind: { case: "toolCall", value: { id: "c1", name: "now" } } },
        ],
      },
      { role: Role.TOOL, parts: [{ kind: { case: "toolResult", value: { toolCallId: "c1" } } }] },
      {
        role: Role.ASSISTANT,
        parts: [{ kind: { case: "reasoning", value: { text: "hm" } } }, { kind: { case: "text", value: "noon" } }],
      },
    ],
    reasoning: { control: { case: "effort", value: ReasoningEffort.NONE } },
  });
  const messages = toRequest(asked, model, "cohere").messages;
  expect(messages).toMatchObject([{ tool_plan: "look" }, { role: "tool" }, { content: "noon" }]);
  expect(messages[0]).not.toHaveProperty("content");
  expect(checkSupport(asked, model)).toMatchObject([
    { kind: "EMULATED", field: ["messages", 2, "parts", 0, "reasoning"] },
  ]);
});

test("reports citations whose state is not what Cohere sent, instead of dropping them in silence", () => {
  const cited = (data: string) => {
    const providerState = { provider: "cohere", model: "command-x", data: Buffer.from(data) };
    const part = { kind: { case: "text", value: "Hi" } as const, citations: [{ providerState }] };
    const asked = request({ messages: [{ role: Role.ASSISTANT, parts: [part] }] });
    return checkSupport(asked, model)
      .filter(({ kind }) => kind === "LEFT_OUT")
      .map(({ field }) => field);
  };
  expect(cited('{"start":0,"end":2,"text":"Hi","sources":[]}')).toEqual([]);
  expect(cited("{}")).toEqual([]);
  expect(cited("forged")).toEqual([["messages", 0, "parts", 0, "citations"]]);
});

test("reads a whole message, which some proxies send although a stream was requested", async () => {
  const message = {
    role: "assistant",
    tool_plan: "I look.",
    content: [
      { type: "thinking", thinking: "Hm" },
      { type: "text", text: "It is far." },
    ],
    tool_calls: [
      { id: "a", type: "function", function: { name: "look", arguments: '{"id":9007199254740993}' } },
      { id: "b", type: "function", function: { name: "look", arguments: "null" } },
    ],
    citations: [{ start: 6, end: 9, text: "far", type: "TEXT_CONTENT", content_index: 1, sources: [] }],
  };
  const usage = { tokens: { input_tokens: 3, output_tokens: 2 } };
  const body = JSON.stringify({ id: "r1", finish_reason: "TOOL_CALL", later: 1, message, usage });
  const headers = { "content-type": "application/json" };
  await using upstream = await startReplayUpstream({ headers, steps: [{ write: body }] });
  const cohere = adapter(upstream.baseUrl, {}, "cohere");
  const { events, error } = await collect(cohere.stream(request(), model, context()));
  await cohere.close?.();
  expect(error).toBeUndefined();
  expect(brief(events)).toEqual([
    "started",
    "reasoning 0.0 I look.",
    "reasoning 0.1 Hm",
    "text 0.2 It is far.",
    expect.stringMatching(/^citation 0\.2/),
    "toolCall 0.3 a look",
    'toolCall 0.3 {"id":9007199254740993}',
    "toolCall 0.4 b look",
    "toolCall 0.4 {}",
    expect.stringMatching(/^finished 0 \d TOOL_CALL$/),
    "completed",
  ]);
  const end = events.find(({ case: kind }) => kind === "finished")?.value;
  expect(end).toMatchObject({ providerMetadataJson: '{"later":1}' });
  expect(events.at(-1)?.value).toMatchObject({ usage: { inputTokens: 3, outputTokens: 2 } });
});
