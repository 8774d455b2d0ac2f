import { describe, expect, it, onTestFinished } from "vitest";
import { optionViolations } from "../../../src/chat/planning/provider-options.ts";
import { documentedFields } from "../../../src/surfaces/openai/documented-fields.ts";
import { warningsOf, whole } from "../../behaviours/wire.ts";
import { titleOf } from "../../contract/dialect.ts";
import { dialects } from "../../contract/load-dialects.ts";
import { startReplayUpstream } from "../../support/replay-upstream.ts";
import { startTestService } from "../../support/service.ts";

const models = {
  OPENAI: "openai/gpt-4o",
  VLLM: "vllm/qwen3",
  SGLANG: "sglang/qwen3",
  OPENROUTER: "openrouter/x",
  DEEPSEEK: "deepseek/deepseek-reasoner",
  DEEPINFRA: "deepinfra/x",
  OLLAMA: "ollama/x",
  GROQ: "groq/openai/gpt-oss-120b",
  ANTHROPIC: "anthropic/claude-sonnet-4-5",
};
type Provider = keyof typeof models;

const claudeEvents = [
  {
    type: "message_start",
    message: {
      id: "msg_1",
      type: "message",
      role: "assistant",
      content: [],
      usage: { input_tokens: 3, output_tokens: 1 },
    },
  },
  { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
  { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Yes." } },
  { type: "content_block_stop", index: 0 },
  { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 2 } },
  { type: "message_stop" },
];
const claude = {
  headers: { "content-type": "text/event-stream" },
  steps: claudeEvents.map((event) => ({ write: `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n` })),
};

async function start(provider: Provider, yaml?: string) {
  const answer = provider === "ANTHROPIC" ? claude : whole({ content: "{}" });
  const upstream = await startReplayUpstream(answer, answer, answer, answer);
  onTestFinished(() => upstream[Symbol.asyncDispose]());
  const environment = { [`${provider}_API_KEY`]: "k", [`${provider}_BASE_URL`]: upstream.baseUrl };
  const service = await startTestService(environment, undefined, yaml);
  onTestFinished(() => service.stop());
  return async (body: object) => {
    const response = await fetch(`http://${service.httpAddress}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: models[provider], messages: [{ role: "user", content: "hi" }], ...body }),
    });
    const text = await response.text();
    const sent = response.status === 200 ? JSON.parse(upstream.requests.at(-1)?.body ?? "{}") : undefined;
    return { status: response.status, sent, warnings: warningsOf(response), error: JSON.parse(text).error };
  };
}

describe("fields of other APIs that ChatRequest has", () => {
  it.each<[Provider, object, object]>([
    ["VLLM", { top_k: 5, min_p: 0.1, repetition_penalty: 1.1 }, { top_k: 5, min_p: 0.1, repetition_penalty: 1.1 }],
    [
      "VLLM",
      { chat_template_kwargs: { a: true }, min_tokens: 3 },
      { chat_template_kwargs: { a: true }, min_tokens: 3 },
    ],
    ["VLLM", { guided_regex: "a+" }, { structured_outputs: { regex: "a+" } }],
    ["VLLM", { guided_choice: ["a.b", "c|d"] }, { structured_outputs: { regex: "(a\\.b|c\\|d)" } }],
    ["VLLM", { regex: "a+" }, { structured_outputs: { regex: "a+" } }],
    ["VLLM", { structured_outputs: { grammar: "root ::= x" } }, { structured_outputs: { grammar: "root ::= x" } }],
    [
      "VLLM",
      { structured_outputs: { regex: "a+", disable_any_whitespace: true } },
      { structured_outputs: { regex: "a+", disable_any_whitespace: true } },
    ],
    ["SGLANG", { regex: "a+" }, { regex: "a+" }],
    [
      "SGLANG",
      { json_schema: '{"type":"object"}' },
      { response_format: { type: "json_schema", json_schema: { name: "response", schema: { type: "object" } } } },
    ],
    [
      "OPENAI",
      { guided_json: { type: "object", properties: {} } },
      { response_format: { json_schema: { schema: { type: "object", properties: {} } } } },
    ],
    ["OPENROUTER", { reasoning: { effort: "high" } }, { reasoning: { effort: "high" } }],
    ["OPENROUTER", { reasoning: { max_tokens: 900 } }, { reasoning: { max_tokens: 900 } }],
    ["OPENROUTER", { reasoning: { enabled: true } }, { reasoning: { effort: "medium" } }],
    ["OPENROUTER", { thinking: { type: "enabled", budget_tokens: 900 } }, { reasoning: { max_tokens: 900 } }],
    ["OPENROUTER", { thinking_budget: 900, enable_thinking: true }, { reasoning: { max_tokens: 900 } }],
    ["OPENROUTER", { enable_thinking: false }, { reasoning: { effort: "none" } }],
    ["DEEPSEEK", { thinking: { type: "disabled" } }, { thinking: { type: "disabled" } }],
    ["DEEPSEEK", { thinking: { type: "enabled" } }, { thinking: { type: "enabled" } }],
    ["ANTHROPIC", { thinking: { type: "enabled", budget_tokens: 2048 } }, { thinking: { budget_tokens: 2048 } }],
    ["GROQ", { reasoning_format: "parsed", include_reasoning: true }, { reasoning_format: "parsed" }],
  ])("are sent to %s for %j", async (provider, fields, expected) => {
    const { status, sent, warnings } = await (await start(provider))(fields);
    expect([status, warnings]).toEqual([200, []]);
    expect(sent).toMatchObject(expected);
  });

  it("include prompt cache breakpoints of messages, parts and tools", async () => {
    const mark = { cache_control: { type: "ephemeral" } };
    const post = await start("ANTHROPIC");
    const called = { id: "c", type: "function", function: { name: "f", arguments: "{}" } };
    const { status, sent, warnings } = await post({
      messages: [
        { role: "system", content: [{ type: "text", text: "be brief", ...mark }] },
        { role: "user", content: "hi", ...mark },
        { role: "assistant", content: null, tool_calls: [called] },
        { role: "tool", tool_call_id: "c", name: "f", content: [{ type: "text", text: "4", ...mark }] },
      ],
      tools: [{ type: "function", function: { name: "f" }, ...mark }],
    });
    expect([status, warnings]).toEqual([200, []]);
    expect(JSON.stringify(sent).match(/"cache_control":/g)).toHaveLength(4);
  });

  it("warn about the name of a tool message only if it is not that of the call", async () => {
    const post = await start("OPENAI");
    const called = { id: "c", type: "function", function: { name: "f", arguments: "{}" } };
    const messages = (name: string) => [
      { role: "user", content: "hi" },
      { role: "assistant", content: null, tool_calls: [called] },
      { role: "tool", tool_call_id: "c", name, content: "4" },
    ];
    expect(await post({ messages: messages("f") })).toMatchObject({ status: 200, warnings: [] });
    expect(await post({ messages: messages("g") })).toMatchObject({
      status: 200,
      warnings: [["EMULATED", "messages.2.name"]],
    });
  });

  it.each<[object, string]>([
    [{ top_k: "many" }, "top_k"],
    [{ min_p: 2 }, "min_p"],
    [{ chat_template_kwargs: "a" }, "chat_template_kwargs"],
    [{ thinking: true }, "thinking"],
    [{ thinking: { type: "on" } }, "thinking.type"],
    [{ reasoning: { effort: "most" } }, "reasoning.effort"],
    [{ reasoning: { efort: "low" } }, "reasoning.efort"],
    [{ reasoning: { effort: "low", max_tokens: 9 } }, "reasoning.max_tokens"],
    [{ enable_thinking: false, thinking: { type: "enabled" } }, "thinking.type"],
    [{ reasoning_effort: "low", thinking: { type: "disabled" } }, "thinking.type"],
    [{ guided_choice: "a" }, "guided_choice"],
    [{ guided_json: 5 }, "guided_json"],
    [{ guided_json: "{" }, "guided_json"],
    [{ guided_regex: "a", guided_choice: ["a"] }, "guided_choice"],
    [{ guided_regex: "a", response_format: { type: "json_object" } }, "guided_regex"],
    [{ structured_outputs: { choice: [1] } }, "structured_outputs.choice.0"],
    [{ messages: [{ role: "user", content: "hi", cache_control: { ttl: "soon" } }] }, "messages.0.cache_control.ttl"],
    [{ stop_token_ids: "5" }, "stop_token_ids"],
    [{ metadata: { a: 1 } }, "metadata.a"],
  ])("are rejected with their name for %j", async (fields, param) => {
    const { status, error } = await (await start("VLLM"))(fields);
    expect([status, error.param]).toEqual([400, param]);
  });

  it("include continuous_usage_stats of a stream", async () => {
    const service = await startTestService();
    onTestFinished(() => service.stop());
    const response = await fetch(`http://${service.httpAddress}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        model: "echo/echo",
        messages: [{ role: "user", content: "a b c" }],
        stream: true,
        stream_options: { continuous_usage_stats: true },
      }),
    });
    const text = await response.text();
    const usages = [...text.matchAll(/^data: (\{.*)$/gm)].map(([, data = ""]) => JSON.parse(data).usage);
    expect(usages.every((usage) => typeof usage?.completion_tokens === "number")).toBe(true);
    expect(usages.at(-1)).toMatchObject({ completion_tokens: 3 });
  });

  it("that the provider does not support are named in an error", async () => {
    const { status, error } = await (await start("OPENAI"))({ guided_choice: ["a", "b"] });
    expect([status, error.param]).toEqual([400, "guided_choice"]);
  });
});

describe("fields of other APIs that ChatRequest lacks", () => {
  it.each<[Provider, object]>([
    ["VLLM", { stop_token_ids: [5], skip_special_tokens: false, bad_words: ["x"] }],
    ["SGLANG", { stop_token_ids: [5], ebnf: "root ::= x", separate_reasoning: true }],
    ["OPENROUTER", { provider: { order: ["a"] }, transforms: ["middle-out"], top_a: 0.1, verbosity: "low" }],
    ["OPENAI", { verbosity: "low", store: true, web_search_options: {}, metadata: { a: "b" } }],
    ["GROQ", { search_settings: { include_domains: ["a"] } }],
    ["VLLM", { truncation_side: "left", logprob_token_ids: [5], repetition_detection: { max_pattern_size: 4 } }],
    ["SGLANG", { return_meta_info: true, cache_salt: "x", images_config: { a: 1 } }],
    // A field that no list has goes to the provider of the model, whichever it is.
    ["VLLM", { brand_new_field: { deep: [1, null, "x"] } }],
    ["OPENAI", { brand_new_field: true }],
    ["ANTHROPIC", { container: "c_1", brand_new_field: 5 }],
  ])("are passed on to %s: %j", async (provider, fields) => {
    const { status, sent, warnings } = await (await start(provider))(fields);
    expect([status, warnings]).toEqual([200, []]);
    expect(sent).toMatchObject(fields);
  });

  it.each<[Provider, Readonly<Record<string, unknown>>]>([
    ["OPENAI", { stop_token_ids: [5], min_p: 0.1, top_a: 0.1, safe_prompt: true }],
    ["ANTHROPIC", { stop_token_ids: [5], verbosity: "low", ignore_eos: true, structured_outputs: { grammar: "x" } }],
    ["DEEPINFRA", { provider: { order: ["a"] }, best_of: 2 }],
    ["OLLAMA", { keep_alive: "5m", num_ctx: 4096, think: false, stop_token_ids: [5] }],
    ["VLLM", { dry_multiplier: 0.8, images_config: { a: 1 }, store: true }],
  ])("are dropped with a warning that names them if %s does not support them: %j", async (provider, fields) => {
    const { status, sent, warnings } = await (await start(provider))(fields);
    expect(status).toBe(200);
    expect(warnings.toSorted()).toEqual(
      Object.keys(fields)
        .map((name) => ["UNSUPPORTED_PARAMETER", name] as const)
        .toSorted(),
    );
    for (const name of Object.keys(fields)) expect(sent).not.toHaveProperty(name);
  });

  it.each<[object, string, string]>([
    [{ temprature: 1 }, "temprature", "did you mean temperature?"],
    [{ stop_token_idss: [1] }, "stop_token_idss", "did you mean stop_token_ids?"],
    [{ max_output_tokens: 5 }, "max_output_tokens", "write max_completion_tokens"],
    [{ system: "be brief" }, "system", "write a message with the role system"],
    [{ thinking_token_budget: 5 }, "thinking_token_budget", "use "],
  ])("are rejected with a hint if they mean a field of this API: %j", async (fields, param, hint) => {
    const { status, error } = await (await start("VLLM"))(fields);
    expect([status, error.param, error.message]).toEqual([400, param, expect.stringContaining(hint)]);
  });

  it.each([
    ["9007199254740993", "brand_new_field.deep.0"],
    ["1e400", "brand_new_field.deep.0"],
    ["-99999999999999999999", "brand_new_field.deep.0"],
  ])("are rejected with a number that would be sent as another one: %s", async (number, param) => {
    const post = await start("VLLM");
    const fields = { brand_new_field: { deep: [JSON.rawJSON(number)] } };
    expect(await post(fields)).toMatchObject({ status: 400, error: { param } });
    const kwargs = { chat_template_kwargs: { deep: JSON.rawJSON(number) } };
    expect(await post(kwargs)).toMatchObject({ status: 400, error: { param: "chat_template_kwargs.deep" } });
    const exact = { brand_new_field: JSON.rawJSON("9007199254740992") };
    expect(await post(exact)).toMatchObject({ status: 200, sent: { brand_new_field: 2 ** 53 } });
  });

  it("cannot replace what Dragoman writes into the body of another API", async () => {
    const post = await start("ANTHROPIC");
    expect(await post({ stopSequences: ["x"] })).toMatchObject({ status: 400, error: { param: "stopSequences" } });
  });

  it("are rejected if the operator has turned provider options off", async () => {
    const post = await start("VLLM", "limits: { provider_options: off }");
    for (const fields of [{ stop_token_ids: [5] }, { brand_new_field: 1 }, { structured_outputs: { grammar: "x" } }]) {
      expect(await post(fields)).toMatchObject({
        status: 400,
        error: { message: expect.stringContaining("limits.provider_options") },
      });
    }
    expect(await post({ top_k: 5, guided_regex: "a" })).toMatchObject({ status: 200 });
  });
});

describe("a server that Dragoman does not know", () => {
  it("gets the fields of the open servers, and OpenAI's own are dropped with a warning", async () => {
    await using upstream = await startReplayUpstream(whole({ content: "{}" }));
    const yaml = `providers: { any: { dialect: chat-completions, base_url: "${upstream.baseUrl}" } }`;
    const service = await startTestService({}, undefined, yaml);
    onTestFinished(() => service.stop());
    const taken = { stop_token_ids: [5], ebnf: "root ::= x", dry_multiplier: 0.8, guideline: "be brief", brand_new: 1 };
    const response = await fetch(`http://${service.httpAddress}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: "any/x", messages: [{ role: "user", content: "hi" }], ...taken, store: true }),
    });
    expect([response.status, warningsOf(response)]).toEqual([200, [["UNSUPPORTED_PARAMETER", "store"]]]);
    const sent = JSON.parse(upstream.requests[0]?.body ?? "");
    expect(sent).toMatchObject(taken);
    expect(sent).not.toHaveProperty("store");
  });
});

describe.each(dialects.map((dialect) => ({ dialect, title: titleOf(dialect) })))("extra fields of $title", ({
  dialect,
}) => {
  it("are documented fields of OpenAI's API here, and none that ChatRequest has", () => {
    const { extraFields, contractNames } = dialect.create("http://127.0.0.1:9");
    for (const name of extraFields ?? []) {
      if (name !== "structured_outputs") expect(Object.keys(documentedFields)).toContain(name);
      const wrongs = [1, {}].map((value) => {
        const providerOptions = { [dialect.name]: { [name]: value } };
        return optionViolations({ providerOptions }, dialect.name, contractNames);
      });
      expect(wrongs).toContainEqual([]);
    }
  });
});
