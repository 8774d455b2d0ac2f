import { describe, expect, it, onTestFinished } from "vitest";
import { whole } from "../../behaviours/wire.ts";
import { startReplayUpstream } from "../../support/replay-upstream.ts";
import { startTestService } from "../../support/service.ts";

async function start() {
  const upstream = await startReplayUpstream(whole({ content: "{}" }));
  onTestFinished(() => upstream[Symbol.asyncDispose]());
  const environment = {
    VLLM_BASE_URL: upstream.baseUrl,
    OPENROUTER_API_KEY: "k",
    OPENROUTER_BASE_URL: upstream.baseUrl,
  };
  const service = await startTestService(environment);
  onTestFinished(() => service.stop());
  return async (body: object) => {
    const response = await fetch(`http://${service.httpAddress}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: "vllm/m", messages: [{ role: "user", content: "hi" }], ...body }),
    });
    const { error } = JSON.parse(await response.text());
    const warnings: readonly { readonly field: string }[] = JSON.parse(
      response.headers.get("x-dragoman-warnings") ?? "[]",
    );
    const sent = upstream.requests.length > 0 ? JSON.parse(upstream.requests.at(-1)?.body ?? "") : undefined;
    return { status: response.status, error, fields: warnings.map(({ field }) => field), sent };
  };
}

const schema = { type: "object", properties: { a: { type: "string" } } };

describe("fields of other APIs in other forms", () => {
  it.each<[string, object]>([
    ["Together and llama.cpp", { type: "json_object", schema }],
    ["llama.cpp", { type: "json_schema", schema }],
  ])("have the JSON Schema of %s", async (_name, response_format) => {
    const { status, sent } = await (await start())({ response_format });
    expect(status).toBe(200);
    expect(sent.response_format).toEqual({ type: "json_schema", json_schema: { name: "response", schema } });
  });

  it.each<[object, readonly string[]]>([
    [{ reasoning: { effort: "high", summary: "auto" } }, ["reasoning.summary"]],
    [{ thinking: { type: "adaptive", display: "summarized" } }, []],
    [{ thinking: { type: "enabled", keep: "all" } }, []],
  ])("set reasoning with %j", async (body, fields) => {
    const next = await (await start())(body);
    expect([next.status, next.fields]).toEqual([200, fields]);
  });

  it("mark a tool for the prompt cache inside its function", async () => {
    const { status, sent } = await (await start())({
      model: "openrouter/anthropic/claude-sonnet-4.5",
      tools: [{ type: "function", function: { name: "f", cache_control: { type: "ephemeral" } } }],
    });
    expect(status).toBe(200);
    expect(JSON.stringify(sent.tools)).toContain('"cache_control":{"type":"ephemeral"}');
  });
});

describe("an error names the field that the caller wrote", () => {
  it.each<[object, string, string]>([
    [{ max_tokens: -1 }, "max_tokens", "0"],
    [{ max_completion_tokens: -1 }, "max_completion_tokens", "0"],
    [{ min_tokens: 5, max_tokens: 2 }, "min_tokens", "output limit"],
    [{ stop: "" }, "stop", "empty"],
    [{ stop: ["a", ""] }, "stop.1", "empty"],
    [{ logit_bias: { hello: 5 } }, "logit_bias.hello", "must be a token ID"],
    [{ extra_body: { top_k: 5 } }, "extra_body", "top level"],
    [{ response_format: { type: "json_schema" } }, "response_format.json_schema", "is required"],
    [{ clear_thinking: true, thinking: { type: "enabled", keep: "all" } }, "thinking.keep", "clear_thinking"],
    [
      { clear_thinking: true, thinking: { type: "enabled", clear_thinking: false } },
      "thinking.clear_thinking",
      "clear_thinking",
    ],
    [{ include_reasoning: true, reasoning: { exclude: true } }, "include_reasoning", "reasoning.exclude"],
  ])("%j", async (body, param, words) => {
    const { status, error } = await (await start())(body);
    expect([status, error?.param]).toEqual([400, param]);
    expect(error.message).toContain(words);
  });

  it("in a warning about the end user", async () => {
    expect((await (await start())({ safety_identifier: "a" })).fields).toEqual(["safety_identifier"]);
  });
});
