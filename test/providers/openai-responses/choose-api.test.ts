import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { type ChatRequest, ChatRequestSchema } from "../../../src/gen/dragoman/v1/chat_request_pb.js";
import { Role } from "../../../src/gen/dragoman/v1/message_pb.js";
import { type Model, ModelSchema } from "../../../src/gen/dragoman/v1/model_pb.js";
import { ReasoningEffort, ReasoningFormat } from "../../../src/gen/dragoman/v1/reasoning_pb.js";
import { configured } from "../../support/configured.ts";
import { ask } from "../../support/requests.ts";
import { functionTool, providerTool } from "../../support/tools.ts";

type Fields = NonNullable<Parameters<typeof ask>[2]>;

const modelOf = (provider: string, providerModel: string): Model =>
  create(ModelSchema, { id: `${provider}/${providerModel}`, provider, providerModel });

const vendors = "https://api.openai.com/v1";

/** Returns the API that serves a request, by the field of the body that has the conversation. */
function apiOf(name: string, fields: Fields = {}, { options = {}, provider = "openai", url = vendors } = {}): string {
  const adapter = configured(provider, url, { options });
  const model = modelOf(provider, name);
  const request: ChatRequest = ask(model.id, "hi", fields);
  const served = adapter.apiFor?.(request, model, request.tools) ?? adapter;
  return "input" in Object(served.describe(request, model)) ? "responses" : "chat_completions";
}

const effort = (value: ReasoningEffort): Fields => ({ reasoning: { control: { case: "effort", value } } });
const withTool = { tools: [functionTool({ name: "f" })] };
const state = (value: object, model = "") => ({
  provider: "openai",
  model,
  data: Buffer.from(JSON.stringify(value)),
});
const said = (providerState: ReturnType<typeof state>): Fields => ({
  messages: [
    { role: Role.ASSISTANT, parts: [{ kind: { case: "reasoning", value: { text: "" } }, providerState }] },
    { role: Role.USER, parts: [{ kind: { case: "text", value: "And?" } }] },
  ],
});
const item = { type: "reasoning", id: "rs_1", summary: [], encrypted_content: "gAAA" };

describe("the API of OpenAI that serves a request", () => {
  it.each([
    "gpt-5-pro",
    "gpt-5-pro-2025-10-06",
    "gpt-5.5-pro",
    "o1-pro",
    "o3-pro",
    "o3-deep-research",
    "o4-mini-deep-research-2025-06-26",
    "gpt-5.3-codex",
    "gpt-5.1-codex-max",
    "computer-use-preview",
  ])("is Responses for the model %s", (name) => {
    expect(apiOf(name)).toBe("responses");
  });

  const rows: readonly (readonly [what: string, model: string, fields: Fields, responses: boolean])[] = [
    ["nothing special", "gpt-4o", {}, false],
    ["a function", "gpt-4o", withTool, false],
    ["a web search", "gpt-4o", { tools: [providerTool({ type: "web_search" })] }, true],
    ["a tool of another provider", "gpt-4o", { tools: [providerTool({ provider: "anthropic", type: "x" })] }, false],
    ["a summary of the reasoning", "gpt-5.2", { reasoning: { format: ReasoningFormat.PARSED } }, true],
    ["hidden reasoning", "gpt-5.2", { reasoning: { format: ReasoningFormat.HIDDEN } }, false],
    ["a summary at a model without reasoning", "gpt-4o", { reasoning: { format: ReasoningFormat.PARSED } }, false],
    ["an option that both APIs have", "gpt-4o", { providerOptions: { openai: { store: true } } }, false],
    ["an option of Responses", "gpt-4o", { providerOptions: { openai: { max_tool_calls: 1 } } }, true],
    ["reasoning of Responses", "gpt-5.2", said(state(item)), true],
    ["reasoning of Responses, of another model", "gpt-5.2", said(state(item, "gpt-5.1")), false],
    ["state of another kind", "gpt-5.2", said(state({ id: "audio_1" })), false],
    ["an effort without functions", "gpt-5.5", effort(ReasoningEffort.HIGH), false],
    ["functions at a model that reasons with them", "gpt-5.2", { ...effort(ReasoningEffort.HIGH), ...withTool }, false],
    ["functions and an effort", "gpt-5.4", { ...effort(ReasoningEffort.HIGH), ...withTool }, true],
    ["functions at the default effort none", "gpt-5.4", withTool, false],
    ["functions at a default effort", "gpt-5.5", withTool, true],
    ["functions without reasoning", "gpt-5.5", { ...effort(ReasoningEffort.NONE), ...withTool }, false],
    ["functions at a model that always reasons", "gpt-6-astra", withTool, true],
  ];

  it.each(rows)("is the one that can do %s (%s)", (_, name, fields, isResponses) => {
    expect(apiOf(name, fields)).toBe(isResponses ? "responses" : "chat_completions");
  });

  it.each(["chat_completions", "responses"] as const)("is always %s with this option", (api) => {
    for (const [, name, fields] of rows) expect(apiOf(name, fields, { options: { api } })).toBe(api);
  });

  it("is Chat Completions at another server, which may lack Responses, if that can serve the request", () => {
    const url = "http://127.0.0.1:9/v1";
    const parsed = { reasoning: { format: ReasoningFormat.PARSED } };
    expect(apiOf("gpt-5.5", withTool, { url })).toBe("chat_completions");
    expect(apiOf("gpt-5.2", parsed, { url })).toBe("chat_completions");
    expect(apiOf("gpt-6-astra", withTool, { url })).toBe("responses");
    expect(apiOf("gpt-5-pro", {}, { url })).toBe("responses");
  });

  it("follows the model of a deployment at Azure, and Azure's own tools", () => {
    const azure = { provider: "azure-openai", options: { models: { prod: "gpt-5-pro" } } };
    expect(apiOf("prod", {}, azure)).toBe("responses");
    expect(apiOf("gpt-5-pro", {}, azure)).toBe("chat_completions");
    const tools = [providerTool({ provider: "azure-openai", type: "web_search" })];
    expect(apiOf("other", { tools }, azure)).toBe("responses");
  });

  it("keeps the embeddings of the provider", () => {
    for (const api of ["auto", "chat_completions", "responses"]) {
      expect(configured("openai", "http://127.0.0.1:9", { options: { api } }).embeddings).toBeDefined();
    }
  });

  it("sends effort, summary, encrypted reasoning and the developer role to models that reason", () => {
    const adapter = configured("openai", "http://127.0.0.1:9", { options: { api: "responses" } });
    const model = modelOf("openai", "gpt-5.2");
    const request = create(ChatRequestSchema, {
      model: model.id,
      messages: [
        { role: Role.SYSTEM, parts: [{ kind: { case: "text", value: "Be brief." } }] },
        { role: Role.USER, parts: [{ kind: { case: "text", value: "Hi" } }] },
      ],
      reasoning: {
        control: { case: "effort", value: ReasoningEffort.XHIGH },
        format: ReasoningFormat.PARSED,
      },
      providerOptions: { openai: { reasoning: { summary: "detailed" } } },
    });
    expect(adapter.describe(request, model)).toMatchObject({
      store: false,
      include: ["reasoning.encrypted_content"],
      reasoning: { effort: "xhigh", summary: "detailed" },
      input: [
        { role: "developer", content: "Be brief." },
        { role: "user", content: "Hi" },
      ],
    });
    const withoutInclude = adapter.without?.(new Set(["include"])).describe(request, model);
    expect(withoutInclude).not.toHaveProperty("include");
    const efforts = (name: string) =>
      adapter
        .checkSupport(ask(`openai/${name}`, "hi", effort(ReasoningEffort.LOW)), modelOf("openai", name))
        .map(({ message }) => message);
    expect(efforts("gpt-5-pro")).toEqual(["the model gpt-5-pro supports only the reasoning efforts high"]);
    expect(efforts("gpt-5.3-codex")).toEqual([]);
  });

  it("never sends a reference to a stored item, which may be of somebody else", () => {
    const adapter = configured("openai", "http://127.0.0.1:9", { options: { api: "responses" } });
    const model = modelOf("openai", "gpt-4o");
    const stolen = { type: "item_reference", id: "msg_1" };
    const request = ask(model.id, "hi", {
      messages: [
        {
          role: Role.ASSISTANT,
          parts: [
            { kind: { case: "serverToolCall", value: { name: "x" } }, providerState: state(stolen) },
            {
              kind: { case: "serverToolResult", value: { outputJson: JSON.stringify(stolen) } },
              providerState: state({}),
            },
          ],
        },
        { role: Role.USER, parts: [{ kind: { case: "text", value: "And?" } }] },
      ],
    });
    expect(adapter.describe(request, model)).toMatchObject({ input: [{ role: "user", content: "And?" }] });
    expect(adapter.checkSupport(request, model).map(({ kind }) => kind)).toEqual(["LEFT_OUT", "LEFT_OUT"]);
  });
});
