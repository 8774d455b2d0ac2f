import Anthropic from "@anthropic-ai/sdk";
import { describe, expect, it } from "vitest";
import {
  begin,
  start as begins,
  type Event,
  end,
  json,
  more,
  sse,
  stop,
  text,
  tool,
} from "../../contract/fixtures/anthropic-wire.ts";
import type { Script } from "../../support/replay-upstream.ts";
import { requireKey, startTestService } from "../../support/service.ts";
import { startApis, startScripted } from "./apis.ts";
import { limited, weather, whole } from "./scripts.ts";

const messages = [{ role: "user" as const, content: "hello" }];
const ask = { model: "gpt-4o", max_tokens: 50, messages };
const claude = { ...ask, model: "claude-sonnet-4-6" };
const weatherTool: Anthropic.Tool = {
  name: weather.name,
  description: weather.description,
  input_schema: weather.parameters,
};

async function start(provider: "ANTHROPIC" | "OPENAI", ...scripts: readonly Script[]) {
  const apis = await startScripted(provider, ...scripts);
  return { ...apis, client: new Anthropic({ baseURL: apis.url, apiKey: "caller-key", maxRetries: 0 }) };
}

const plays = (...events: readonly Event[]): Script => ({ steps: [{ write: sse(...events) }] });

describe("the client @anthropic-ai/sdk", () => {
  it("returns a message of a model of another provider", async () => {
    const { client, requests, records } = await start("OPENAI", whole({ content: "hello back" }));
    const answer = await client.messages.create({
      ...ask,
      system: "be brief",
      stop_sequences: ["x"],
      metadata: { user_id: "u1" },
    });
    expect(answer).toMatchObject({
      id: expect.stringMatching(/^msg_[0-9a-f]{32}$/),
      type: "message",
      role: "assistant",
      model: "gpt-4o",
      content: [{ type: "text", text: "hello back", citations: null }],
      stop_reason: "end_turn",
      stop_sequence: null,
      usage: { input_tokens: 7, cache_read_input_tokens: 4, cache_creation_input_tokens: 0, output_tokens: 3 },
    });
    expect(answer._request_id).toBe(records[0]?.requestId);
    expect(JSON.parse(requests[0]?.body ?? "")).toMatchObject({
      max_completion_tokens: 50,
      stop: ["x"],
      messages: [{ role: "system", content: "be brief" }, { role: "user" }],
    });
    expect(records).toMatchObject([{ method: "messages", outcome: "ok", user: "u1", usage: { totalTokens: 14 } }]);
  });

  it("keeps the blocks of Claude as they are, over two turns with a tool", async () => {
    const { client, requests } = await start(
      "ANTHROPIC",
      plays(
        begins({ input_tokens: 12, cache_read_input_tokens: 5, cache_creation_input_tokens: 3, output_tokens: 1 }),
        begin(0, { type: "thinking", thinking: "", signature: "" }),
        more(0, { type: "thinking_delta", thinking: "Look it up." }),
        more(0, { type: "signature_delta", signature: "EvQB" }),
        stop(0),
        begin(1, { type: "redacted_thinking", data: "EmwK" }),
        stop(1),
        ...text(2, "I ", "look."),
        begin(3, tool("toolu_1", "weather")),
        more(3, json('{"city": "Os')),
        more(3, json('lo"}')),
        stop(3),
        ...end("tool_use"),
      ),
      plays(begins(), ...text(0, "Rain."), ...end("end_turn")),
    );
    const thinking = { type: "adaptive" as const };
    const first = await client.messages.create({ ...claude, tools: [weatherTool], thinking });
    const { content, usage } = first;
    expect(content.map((block) => ("caller" in block ? { ...block, caller: undefined } : block))).toEqual([
      { type: "thinking", thinking: "Look it up.", signature: "EvQB" },
      { type: "redacted_thinking", data: "EmwK" },
      { type: "text", text: "I look.", citations: null },
      {
        type: "tool_use",
        id: "toolu_1",
        name: "weather",
        input: { city: "Oslo" },
      },
    ]);
    expect(usage).toMatchObject({ input_tokens: 12, cache_read_input_tokens: 5, cache_creation_input_tokens: 3 });
    await client.messages.create({
      ...claude,
      tools: [weatherTool],
      thinking,
      messages: [
        ...messages,
        { role: first.role, content },
        { role: "user", content: [{ type: "tool_result", tool_use_id: "toolu_1", content: "rain", is_error: true }] },
      ],
    });
    expect(JSON.parse(requests[1]?.body ?? "").messages.slice(1)).toMatchObject([
      {
        role: "assistant",
        content: [
          { type: "thinking", thinking: "Look it up.", signature: "EvQB" },
          { type: "redacted_thinking", data: "EmwK" },
          { type: "text", text: "I look." },
          { type: "tool_use", id: "toolu_1", name: "weather", input: { city: "Oslo" } },
        ],
      },
      { role: "user", content: [{ type: "tool_result", tool_use_id: "toolu_1", content: "rain", is_error: true }] },
    ]);
  });

  it("counts tokens, without a request to the provider", async () => {
    const { client, requests, records } = await start("OPENAI");
    const { input_tokens: few } = await client.messages.countTokens({ model: "gpt-4o", messages });
    const { input_tokens: more } = await client.messages.countTokens({
      model: "gpt-4o",
      messages,
      system: "Answer in the words of a poet.",
      tools: [weatherTool],
    });
    expect(few).toBeGreaterThan(0);
    expect(more).toBeGreaterThan(few + 10);
    expect(requests).toEqual([]);
    expect(records).toMatchObject([{ method: "messages-count-tokens", outcome: "ok", model: "gpt-4o" }, {}]);
  });

  it("lists models, page by page, and retrieves one whose name has a slash", async () => {
    const { url } = await startApis({ OPENAI_API_KEY: "k" });
    const client = new Anthropic({ baseURL: url, apiKey: "caller-key" });
    const ids: string[] = [];
    for await (const { id } of client.models.list({ limit: 7 })) ids.push(id);
    expect(ids.length).toBeGreaterThan(20);
    expect(new Set(ids).size).toBe(ids.length);
    const page = await client.models.list({ before_id: ids[5] ?? "", limit: 2 });
    expect(page.data.map(({ id }) => id)).toEqual(ids.slice(3, 5));
    expect(page).toMatchObject({ has_more: true, first_id: ids[3], last_id: ids[4] });
    expect(await client.models.retrieve("echo/echo")).toMatchObject({ type: "model", id: "echo/echo" });
    await expect(client.models.retrieve("nothing")).rejects.toThrow(Anthropic.NotFoundError);
    await expect(client.models.list({ limit: 0 })).rejects.toThrow("limit: must be an integer from 1 to 1000");
  });

  it("gets OpenAI's list of models without the header anthropic-version", async () => {
    const { url } = await startApis();
    const response = await fetch(`${url}/v1/models`);
    expect(await response.json()).toMatchObject({
      object: "list",
      data: expect.arrayContaining([expect.objectContaining({ id: "echo/echo", object: "model" })]),
    });
  });

  it("gets errors in Anthropic's shape at unknown paths", async () => {
    const { url } = await startApis();
    const shape = {
      type: "error",
      error: { type: "not_found_error", message: expect.stringContaining("did you mean") },
    };
    const headers = { "anthropic-version": "2023-06-01" };
    for (const response of [
      await fetch(`${url}/v1/messages/count_token`, { method: "POST" }),
      await fetch(`${url}/v1/model`, { headers }),
    ]) {
      expect([response.status, await response.json()]).toMatchObject([404, shape]);
    }
    const openai = await fetch(`${url}/v1/model`);
    expect(await openai.json()).toMatchObject({
      error: { message: expect.stringContaining("did you mean GET /v1/models?") },
    });
  });

  it.each([
    ["x-api-key", { apiKey: "right" }],
    ["authorization", { authToken: "right", apiKey: null }],
  ] as const)("authenticates by %s", async (_header, keys) => {
    const service = await startTestService({}, requireKey);
    try {
      const baseURL = `http://${service.httpAddress}`;
      const echo = { ...ask, model: "echo/echo" };
      const answer = await new Anthropic({ baseURL, maxRetries: 0, ...keys }).messages.create(echo);
      expect(answer.content).toMatchObject([{ type: "text", text: "hello" }]);
      const wrong = new Anthropic({ baseURL, maxRetries: 0, apiKey: "wrong" }).messages.create(echo);
      await expect(wrong).rejects.toMatchObject({
        constructor: Anthropic.AuthenticationError,
        type: "authentication_error",
      });
    } finally {
      await service.stop();
    }
  });

  it("retries after the delay in retry-after-ms", async () => {
    const { client, requests } = await start("OPENAI", limited, whole({ content: "now" }));
    const answer = await client.messages.create(ask, { maxRetries: 1 });
    expect(answer.content).toMatchObject([{ text: "now" }]);
    expect(requests).toHaveLength(2);
  });
});
