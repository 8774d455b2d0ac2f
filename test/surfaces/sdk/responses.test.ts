import { createOpenAI } from "@ai-sdk/openai";
import { ChatOpenAI } from "@langchain/openai";
import { generateText, isStepCount, tool } from "ai";
import OpenAI from "openai";
import { describe, expect, it, onTestFinished } from "vitest";
import { z } from "zod";
import {
  begin,
  end,
  json,
  start as messageStart,
  more,
  sse,
  stop,
  text,
} from "../../contract/fixtures/anthropic-wire.ts";
import { type RecordedRequest, type Script, startReplayUpstream } from "../../support/replay-upstream.ts";
import { startApis } from "./apis.ts";
import { call, callPieces, limited, streamed, weather, whole } from "./scripts.ts";

type Input = OpenAI.Responses.ResponseInput;
type Called = OpenAI.Responses.ResponseFunctionToolCall;
type ResponseTool = OpenAI.Responses.FunctionTool;

const models = {
  OPENAI: "gpt-4o",
  ANTHROPIC: "anthropic/claude-sonnet-4-5",
  DEEPSEEK: "deepseek/deepseek-reasoner",
} as const;

/** Runs a service with a provider whose responses are scripted. */
async function start(provider: keyof typeof models, ...scripts: readonly Script[]) {
  const upstream = await startReplayUpstream(...scripts);
  onTestFinished(() => upstream[Symbol.asyncDispose]());
  const environment = { [`${provider}_API_KEY`]: "provider-key", [`${provider}_BASE_URL`]: upstream.baseUrl };
  const apis = await startApis(environment);
  const client = new OpenAI({ baseURL: `${apis.url}/v1`, apiKey: "caller-key", maxRetries: 0 });
  const { requests, nextRequest } = upstream;
  return { ...apis, requests, nextRequest, client, model: models[provider] };
}

const bodyOf = (request: RecordedRequest | undefined) => JSON.parse(request?.body ?? "{}");
const events = (...steps: readonly string[]): Script => ({
  headers: { "content-type": "text/event-stream" },
  steps: steps.map((write) => ({ write })),
});

const weatherTool: ResponseTool = { type: "function", ...weather, strict: false };
const rain = (call_id: string) => ({ type: "function_call_output", call_id, output: "rain" }) as const;

/** Asks, runs the tool that the model calls, and asks again with all items of the first response. */
async function twoTurns(client: OpenAI, model: string, stream: boolean) {
  const input: Input = [{ role: "user", content: "What is the weather in Oslo?" }];
  const ask = { model, input, tools: [weatherTool], include: ["reasoning.encrypted_content" as const], store: false };
  const first = stream ? await client.responses.stream(ask).finalResponse() : await client.responses.create(ask);
  const called = [...first.output].find((item): item is Called => item.type === "function_call");
  if (called === undefined) throw new Error("the model called no tool");
  const second = await client.responses.create({
    ...ask,
    input: [...input, ...(first.output as Input), rain(called.call_id)],
  });
  return { first, second, called };
}

describe("the client openai, over the Responses API", () => {
  it("returns a response with its text, its usage and what it repeats", async () => {
    const { client, model, requests, records } = await start("OPENAI", whole({ content: "hello back" }));
    const response = await client.responses.create({
      model,
      instructions: "be brief",
      input: "hello",
      max_output_tokens: 50,
      metadata: { a: "b" },
      user: "u1",
      store: true,
    });
    expect(response.output_text).toBe("hello back");
    expect(response.id).toMatch(/^resp_[0-9a-f]{32}$/);
    expect(response).toMatchObject({
      object: "response",
      status: "completed",
      error: null,
      incomplete_details: null,
      instructions: "be brief",
      max_output_tokens: 50,
      metadata: { a: "b" },
      parallel_tool_calls: true,
      previous_response_id: null,
      store: false,
      text: { format: { type: "text" } },
      tool_choice: "auto",
      tools: [],
      truncation: "disabled",
      usage: {
        input_tokens: 11,
        input_tokens_details: { cached_tokens: 4 },
        output_tokens: 3,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: 14,
      },
    });
    expect(bodyOf(requests[0])).toMatchObject({
      model: "gpt-4o",
      max_completion_tokens: 50,
      messages: [
        { role: "system", content: "be brief" },
        { role: "user", content: "hello" },
      ],
    });
    expect(bodyOf(requests[0])).not.toHaveProperty("metadata");
    expect(records).toMatchObject([{ method: "responses", outcome: "ok", user: "u1", usage: { totalTokens: 14 } }]);
  });

  it("ends a stream with its last event, without [DONE]", async () => {
    const { url, model } = await start("OPENAI", streamed([{ content: "hello" }]));
    const response = await fetch(`${url}/v1/responses`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model, input: "hello", stream: true }),
    });
    const body = await response.text();
    const blocks = body
      .trimEnd()
      .split("\n\n")
      .filter((block) => !block.startsWith(":"));
    for (const block of blocks) {
      const [first = "", second = ""] = block.split("\n");
      expect(first).toBe(`event: ${JSON.parse(second.replace("data: ", "")).type}`);
    }
    expect(blocks.at(-1)).toContain("event: response.completed");
    expect(body).not.toContain("[DONE]");
  });

  it.each([false, true])("sends Claude its signed thinking back (stream: %s)", async (stream) => {
    const thinking = events(
      sse(
        messageStart(),
        begin(0, { type: "thinking", thinking: "" }),
        more(0, { type: "thinking_delta", thinking: "I need the weather." }),
        more(0, { type: "signature_delta", signature: "c2lnbmVk" }),
        stop(0),
        ...text(1, "Let me look."),
        begin(2, { type: "tool_use", id: "toolu_1", name: "weather", input: {} }),
        more(2, json('{"city":"Oslo"}')),
        stop(2),
        ...end("tool_use"),
      ),
    );
    const answer = events(sse(messageStart(), ...text(0, "It rains."), ...end("end_turn")));
    const { client, model, requests } = await start("ANTHROPIC", thinking, answer);
    const { first, second } = await twoTurns(client, model, stream);
    expect(first.output.map(({ type }) => type)).toEqual(["reasoning", "message", "function_call"]);
    expect(first.output[0]).toMatchObject({ summary: [{ type: "summary_text", text: "I need the weather." }] });
    expect(second.output_text).toBe("It rains.");
    expect(bodyOf(requests[1]).messages).toMatchObject([
      { role: "user" },
      {
        role: "assistant",
        content: [
          { type: "thinking", thinking: "I need the weather.", signature: "c2lnbmVk" },
          { type: "text", text: "Let me look." },
          { type: "tool_use", id: "toolu_1", name: "weather", input: { city: "Oslo" } },
        ],
      },
      { role: "user", content: [{ type: "tool_result", tool_use_id: "toolu_1", content: "rain" }] },
    ]);
  });

  it("sends Claude its web search and its citations back", async () => {
    const found = {
      type: "web_search_result",
      url: "https://a.example",
      title: "A",
      encrypted_content: "ZW5j",
      page_age: null,
    };
    const citation = {
      type: "web_search_result_location",
      url: "https://a.example",
      title: "A",
      cited_text: "rain",
      encrypted_index: "aW5k",
    };
    const search = events(
      sse(
        messageStart(),
        begin(0, { type: "server_tool_use", id: "srvtoolu_1", name: "web_search", input: {} }),
        more(0, json('{"query":"weather Oslo"}')),
        stop(0),
        begin(1, { type: "web_search_tool_result", tool_use_id: "srvtoolu_1", content: [found] }),
        stop(1),
        begin(2, { type: "text", text: "", citations: [] }),
        more(2, { type: "citations_delta", citation }),
        more(2, { type: "text_delta", text: "It rains." }),
        stop(2),
        ...end("end_turn"),
      ),
    );
    const { client, model, requests } = await start("ANTHROPIC", search);
    const input: Input = [{ role: "user", content: "weather?" }];
    const tools = [{ type: "web_search" as const }];
    const first = await client.responses.stream({ model, input, tools }).finalResponse();
    expect(first.output[0]).toMatchObject({
      type: "web_search_call",
      action: { type: "search", query: "weather Oslo" },
    });
    const message = first.output.find((item) => item.type === "message");
    expect(message?.content).toMatchObject([
      { text: "It rains.", annotations: [{ type: "url_citation", url: "https://a.example", title: "A" }] },
    ]);
    await client.responses.create({
      model,
      tools,
      input: [...input, ...(first.output as Input), { role: "user", content: "sure?" }],
    });
    expect(bodyOf(requests[0]).tools).toEqual([{ type: "web_search_20250305", name: "web_search" }]);
    expect(bodyOf(requests[1]).messages[1].content).toMatchObject([
      { type: "server_tool_use", id: "srvtoolu_1", name: "web_search", input: { query: "weather Oslo" } },
      { type: "web_search_tool_result", tool_use_id: "srvtoolu_1", content: [found] },
      { type: "text", text: "It rains.", citations: [citation] },
    ]);
  });

  it("returns the reasoning of a provider without signatures as a summary, and sends it back", async () => {
    const first = streamed([{ reasoning_content: "hm" }, ...callPieces], "tool_calls");
    const { client, model, requests } = await start("DEEPSEEK", first, whole({ content: "It rains." }));
    const { first: response } = await twoTurns(client, model, true);
    expect(response.output[0]).toEqual({
      id: expect.any(String),
      type: "reasoning",
      summary: [{ type: "summary_text", text: "hm" }],
      encrypted_content: expect.any(String),
    });
    expect(bodyOf(requests[1]).messages[1]).toMatchObject({ role: "assistant", reasoning_content: "hm" });
  });

  it("returns an incomplete response at the output limit", async () => {
    const { client, model } = await start("OPENAI", streamed([{ content: "half" }], "length"));
    const response = await client.responses.stream({ model, input: "hello" }).finalResponse();
    expect(response).toMatchObject({
      status: "incomplete",
      incomplete_details: { reason: "max_output_tokens" },
      output: [{ status: "incomplete", content: [{ text: "half" }] }],
    });
  });

  it("gets errors that name the fields of this API", async () => {
    const { client, model } = await start("OPENAI", limited);
    const failed = client.responses.create({
      model,
      input: "hello",
      text: { format: { type: "json_schema", name: "a b", schema: {} } },
    });
    await expect(failed).rejects.toMatchObject({ status: 400, param: "text.format.name" });
    const unknown = client.responses.create({ model: "no/model", input: "hello" });
    await expect(unknown).rejects.toMatchObject({ status: 404, code: "model_not_found", param: "model" });
    const orphan = client.responses.create({ model, input: [rain("call_9")] });
    await expect(orphan).rejects.toMatchObject({ status: 400, param: "input.0.call_id" });
  });

  it("gets a clear error for a stored response, and for what needs one", async () => {
    const { client, model } = await start("OPENAI", whole({ content: "hello" }));
    const text = "Dragoman stores no responses";
    for (const failed of [
      client.responses.retrieve("resp_1"),
      client.responses.cancel("resp_1"),
      client.responses.delete("resp_1"),
    ]) {
      await expect(failed).rejects.toMatchObject({ status: 404, message: expect.stringContaining(text) });
    }
    await expect(client.responses.inputItems.list("resp_1")).rejects.toMatchObject({ status: 404 });
    await expect(client.responses.compact({ model: "gpt-4o" })).rejects.toMatchObject({ status: 404 });
    const next = client.responses.create({ model, input: "hello", previous_response_id: "resp_1" });
    await expect(next).rejects.toMatchObject({ status: 400, param: "previous_response_id" });
  });

  it("counts input tokens without a request to the provider", async () => {
    const { client, model, requests, records } = await start("OPENAI", whole({ content: "hello" }));
    const input: Input = [{ role: "user", content: "one two three" }];
    const count = await client.responses.inputTokens.count({ model, input, instructions: "be brief" });
    const longer = await client.responses.inputTokens.count({
      model,
      input: "one two three four five six",
      instructions: "be brief",
    });
    expect(count).toEqual({ object: "response.input_tokens", input_tokens: expect.any(Number) });
    expect(longer.input_tokens).toBe(count.input_tokens + 3);
    expect(requests).toEqual([]);
    expect(records).toMatchObject([{ method: "responses-input-tokens", outcome: "ok" }, { outcome: "ok" }]);
    const missing = client.responses.inputTokens.count({ model: "no/model", input });
    await expect(missing).rejects.toMatchObject({ status: 404, code: "model_not_found" });
  });
});

describe("the client ai with @ai-sdk/openai, over the Responses API", () => {
  it("gets an error that says to set store to false if it refers to a stored item", async () => {
    const thinks = whole({ reasoning_content: "hm", tool_calls: [call] }, "tool_calls");
    const { url, requests, model } = await start("DEEPSEEK", thinks);
    const answer = generateText({
      model: createOpenAI({ baseURL: `${url}/v1`, apiKey: "caller-key" })(model),
      prompt: "What is the weather in Oslo?",
      stopWhen: isStepCount(2),
      tools: { weather: tool({ inputSchema: z.object({ city: z.string() }), execute: () => "rain" }) },
    });
    await expect(answer).rejects.toMatchObject({
      statusCode: 400,
      message: expect.stringContaining("set store to false"),
    });
    expect(requests).toHaveLength(1);
  });
});

describe("the client @langchain/openai, over the Responses API", () => {
  it("reads a stream and a tool call", async () => {
    const { url } = await start("OPENAI", streamed([{ content: "It " }, ...callPieces], "tool_calls"));
    const model = new ChatOpenAI({
      model: "gpt-4o",
      apiKey: "caller-key",
      maxRetries: 0,
      useResponsesApi: true,
      configuration: { baseURL: `${url}/v1` },
    }).bindTools([{ type: "function", function: weather }]);
    const chunks = await Array.fromAsync(await model.stream("weather?"));
    const joined = chunks.reduce((one, other) => one.concat(other));
    expect(joined.text).toBe("It ");
    expect(joined.tool_calls).toMatchObject([{ id: "call_1", name: "weather", args: { city: "Oslo" } }]);
  });
});
