import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { formatPath } from "../../src/field-path.ts";
import { type ChatRequest, ChatRequestSchema } from "../../src/gen/dragoman/v1/chat_request_pb.js";
import { Role } from "../../src/gen/dragoman/v1/message_pb.js";
import { type Model, ModelSchema } from "../../src/gen/dragoman/v1/model_pb.js";
import { stringifyExact } from "../../src/providers/kit/exact-json.ts";
import { applyAdaptations } from "../support/planning.ts";
import { functionTool } from "../support/tools.ts";
import { type Dialect, titleOf } from "./dialect.ts";
import { dialects } from "./load-dialects.ts";
import { planFor } from "./planned.ts";

// Rules of model families hold at each host whose API passes the messages on to the model.

/** Provider APIs in OpenAI's format. */
const hosts = dialects.filter(({ reader }) => reader === "chat-completions" || reader === "mistral");

const text = (value: string) => ({ kind: { case: "text" as const, value } });
const thought = (value: string) => ({ kind: { case: "reasoning" as const, value: { text: value } } });
const user = (value: string) => ({ role: Role.USER, parts: [text(value)] });
const called = (...before: readonly ReturnType<typeof thought>[]) => ({
  role: Role.ASSISTANT,
  parts: [
    ...before,
    { kind: { case: "toolCall" as const, value: { id: "call00001", name: "look", argumentsJson: "{}" } } },
  ],
});
const result = {
  role: Role.TOOL,
  parts: [{ kind: { case: "toolResult" as const, value: { toolCallId: "call00001", parts: [text("rain")] } } }],
};
const assistant = (...parts: readonly (ReturnType<typeof text> | ReturnType<typeof thought>)[]) => ({
  role: Role.ASSISTANT,
  parts: [...parts],
});

type Init = Exclude<MessageInitShape<typeof ChatRequestSchema>, ChatRequest>;

interface Sent {
  readonly messages: readonly Readonly<Record<string, unknown>>[];
  readonly warned: readonly string[];
}

/** Returns the messages that the adapter sends for a model by its name at the host, and the adaptations. */
function send(dialect: Dialect, providerModel: string, fields: Init): Sent {
  const { provider, id }: Model = { ...dialect.model, id: `${dialect.name}/${providerModel}` };
  const model = create(ModelSchema, { id, provider, providerModel });
  const request = create(ChatRequestSchema, { model: id, tools: [functionTool({ name: "look" })], ...fields });
  const adapter = dialect.create("http://127.0.0.1:9");
  const adaptations = adapter.checkSupport(request, model);
  const body: { messages: Sent["messages"] } = JSON.parse(
    stringifyExact(adapter.describe(applyAdaptations(request, adaptations).request, model)),
  );
  return { messages: body.messages, warned: adaptations.map(({ kind, field }) => `${kind} ${formatPath(field)}`) };
}

const withTools = hosts.filter(({ name }) => name !== "perplexity");

describe.each(withTools.map((dialect) => [titleOf(dialect), dialect] as const))("at %s", (_, dialect) => {
  it.each([
    "mistralai/Mistral-Small-4-119B",
    "Ministral-3-14B-Instruct",
    "accounts/x/models/mixtral-8x22b",
    "Devstral-2",
    "magistral-9",
  ])("an assistant message follows the tool results of %s", (name) => {
    for (const next of [user("And tomorrow?"), { role: Role.SYSTEM, parts: [text("Be brief.")] }]) {
      const messages = [user("Weather?"), called(), result, next, user("Well?")];
      const { messages: sent, warned } = send(dialect, name, { messages });
      const roles = sent.map(({ role }) => role);
      expect(roles.slice(0, 4)).toEqual(["user", "assistant", "tool", "assistant"]);
      expect(sent[3]).toMatchObject({ content: "OK." });
      expect(roles).toHaveLength(6);
      expect(warned).toContain("EMULATED messages[3].role");
    }
    const inOrder = [user("Weather?"), called(), result, assistant(text("Rain.")), user("And tomorrow?")];
    expect(send(dialect, name, { messages: inOrder }).messages).toHaveLength(5);
  });

  if (dialect.name === "mistral") return;

  it("a user message follows the tool results of other families", () => {
    const { messages: sent, warned } = send(dialect, "qwen4-72b", {
      messages: [user("Weather?"), called(), result, user("And tomorrow?")],
    });
    expect(sent).toHaveLength(4);
    expect(warned).not.toContain("EMULATED messages[3].role");
  });

  const field = (message: Readonly<Record<string, unknown>> | undefined) =>
    message?.reasoning_content ?? message?.reasoning;

  it.each([
    "deepseek-v4-pro",
    "deepseek/deepseek-v4.1-flash",
    "accounts/x/models/deepseek-v4p1-flash",
    "deepseek-ai/DeepSeek-V5-Pro",
    "deepseek-flash",
    "mimo-v2.6-pro",
  ])("each turn of %s has its reasoning, or an empty one", (name) => {
    const messages = [
      user("Weather?"),
      called(thought("Look.")),
      result,
      assistant(thought("It rains."), text("Rain.")),
      user("And tomorrow?"),
      assistant(text("Sun.")),
      user("Thanks."),
    ];
    const { messages: sent, warned } = send(dialect, name, { messages });
    expect([field(sent[1]), field(sent[3]), field(sent[5])]).toEqual(["Look.", "It rains.", ""]);
    expect(warned.filter((warning) => warning.includes("reasoning"))).toEqual([]);
    // Turns that call tools keep their reasoning even if the request clears it.
    const cleared = send(dialect, name, { messages, reasoning: { clearEarlierReasoning: true } }).messages;
    expect([field(cleared[1]), field(cleared[3]), field(cleared[5])]).toEqual(["Look.", "", ""]);
  });

  it.each([
    "kimi-k2.6",
    "moonshotai/Kimi-K2-Thinking",
    "deepseek-v3.2",
    "deepseek-ai/DeepSeek-V3.2-Exp",
  ])("each turn of %s that calls tools has its reasoning, or an empty one", (name) => {
    const messages = [user("Weather?"), called(), result, assistant(text("Rain.")), user("Thanks.")];
    const { messages: sent } = send(dialect, name, { messages });
    expect([field(sent[1]), field(sent[3])]).toEqual(["", undefined]);
  });

  it.each([
    "deepseek-r1-0528",
    "deepseek-chat-v3-0324",
    "deepseek/deepseek-chat-v3-0324",
    "deepseek-ai/DeepSeek-V3.1",
    "hf:deepseek-ai/DeepSeek-V3-0324",
    "azure/australia-1",
    "llama-4-scout",
  ])("turns of %s without reasoning have none", (name) => {
    const messages = [user("Weather?"), called(), result, assistant(text("Rain.")), user("Thanks.")];
    const { messages: sent } = send(dialect, name, { messages });
    // These hosts require it of each model that calls tools.
    const isRequired = ["deepseek", "moonshot"].includes(dialect.name);
    expect([field(sent[1]), field(sent[3])]).toEqual([isRequired ? "" : undefined, undefined]);
  });
});

/** For each API with a field for a reasoning budget, a model that has one. */
const budgeted: Readonly<Record<string, string>> = {
  anthropic: "claude-3-7-sonnet-20250219",
  bedrock: "us.anthropic.claude-3-7-sonnet-20250219-v1:0",
  cohere: "command-a-reasoning-08-2025",
  fireworks: "accounts/fireworks/models/gpt-oss-120b",
  gemini: "gemini-2.5-flash",
  openrouter: "anthropic/claude-3.7-sonnet",
  vertex: "gemini-2.5-flash",
  vllm: "qwen3",
};

describe.each(dialects.map((dialect) => ({ dialect, title: titleOf(dialect) })))("the $title API", ({ dialect }) => {
  it("gets a reasoning budget if it has a field for one, and otherwise the caller a warning", async () => {
    const providerModel = budgeted[dialect.name];
    const { capabilities: _, ...own } = dialect.model;
    const model = providerModel === undefined ? own : { ...own, id: `${dialect.name}/${providerModel}`, providerModel };
    const { body, warnings } = await planFor(
      dialect,
      { reasoning: { control: { case: "budgetTokens", value: 2048 } }, parameters: { maxOutputTokens: 9000 } },
      model,
    );
    const told = warnings.filter(({ field }) => field.startsWith("reasoning"));
    expect(JSON.stringify(body).includes(":2048")).toBe(providerModel !== undefined);
    expect(told.map(({ reason, field }) => `${reason} ${field}`)).toEqual(
      providerModel === undefined ? ["UNSUPPORTED_PARAMETER reasoning.budget_tokens"] : [],
    );
  });
});
