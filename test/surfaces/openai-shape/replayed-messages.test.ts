import OpenAI from "openai";
import { describe, expect, it, onTestFinished } from "vitest";
import { delta, finish, streamed, whole } from "../../behaviours/wire.ts";
import { type Script, startReplayUpstream } from "../../support/replay-upstream.ts";
import { startTestService } from "../../support/service.ts";

const models = { OPENAI: "openai/gpt-4o", OPENROUTER: "openrouter/x", MISTRAL: "mistral/mistral-small-latest" };
type Provider = keyof typeof models;

async function start(provider: Provider, ...scripts: readonly Script[]) {
  const upstream = await startReplayUpstream(...scripts);
  onTestFinished(() => upstream[Symbol.asyncDispose]());
  const service = await startTestService({
    [`${provider}_API_KEY`]: "k",
    [`${provider}_BASE_URL`]: upstream.baseUrl,
  });
  onTestFinished(() => service.stop());
  const baseURL = `http://${service.httpAddress}/v1`;
  const post = async (body: object) => {
    const response = await fetch(`${baseURL}/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: models[provider], ...body }),
    });
    const { error } = JSON.parse(await response.text());
    const warnings: readonly { readonly field: string }[] = JSON.parse(
      response.headers.get("x-dragoman-warnings") ?? "[]",
    );
    return { status: response.status, error, fields: warnings.map(({ field }) => field) };
  };
  return {
    post,
    openai: new OpenAI({ baseURL, apiKey: "unused", maxRetries: 0 }),
    sent: () => JSON.parse(upstream.requests.at(-1)?.body ?? ""),
  };
}

const question = { role: "user", content: "hi" } as const;
const answer = whole({ content: "Yes." });
const call = { id: "c1", type: "function", function: { name: "f", arguments: "{}" } };
const result = { role: "tool", tool_call_id: "c1", content: "r" };
const page = { url: "https://a.example", title: "A", start_index: 0, end_index: 1 };

describe("an assistant message as clients send it back", () => {
  it.each<[object, readonly string[]]>([
    [{ content: null }, ["messages.1"]],
    [{}, ["messages.1"]],
    [{ content: [] }, ["messages.1"]],
    [{ content: null, tool_calls: [] }, ["messages.1"]],
    [{ content: "x", parsed: { a: 1 } }, []],
    [{ content: "x", foo: null, tool_call_id: null, executed_tools: [] }, []],
    [{ content: "x", reasoning_details: [] }, []],
    [{ content: "x", executed_tools: [{ type: "search" }] }, ["messages.1.executed_tools"]],
    [
      { content: "x", provider_specific_fields: { a: 1 }, citations: ["u"] },
      ["messages.1.provider_specific_fields", "messages.1.citations"],
    ],
    [{ content: "x", annotations: [{ type: "file", file: { hash: "h" } }] }, ["messages.1.annotations.0"]],
  ])("%j is accepted, and what is not sent is named", async (message, fields) => {
    const { post } = await start("OPENAI", answer);
    const next = await post({ messages: [question, { role: "assistant", ...message }, question] });
    expect([next.status, next.fields]).toEqual([200, fields]);
  });

  it.each<[object, readonly string[]]>([
    [{ ...call, index: 0, function: { ...call.function, parsed_arguments: null } }, []],
    [{ ...call, function: { ...call.function, parsed_arguments: {} } }, []],
    [{ ...call, type: null, extra_content: null }, []],
    [{ ...call, extra_content: { google: { thought_signature: "s" } } }, ["messages.1.tool_calls.0.extra_content"]],
    [{ ...call, function: { name: "f", arguments: null } }, []],
  ])("has a tool call %j", async (sentBack, fields) => {
    const { post } = await start("OPENAI", answer);
    const message = { role: "assistant", content: null, tool_calls: [sentBack] };
    const next = await post({ messages: [question, message, result] });
    expect([next.status, next.fields]).toEqual([200, fields]);
  });

  it.each([
    [{ content: "x", reasoning_contents: "r" }, "messages.1.reasoning_contents"],
    [{ contents: "x" }, "messages.1.contents"],
    [{ content: "x", tool_cals: [call] }, "messages.1.tool_cals"],
  ])("with the misspelled field of %j is rejected", async (message, param) => {
    const { post } = await start("OPENAI", answer);
    const next = await post({ messages: [question, { role: "assistant", ...message }, question] });
    expect([next.status, next.error.param]).toEqual([400, param]);
    expect(next.error.message).toContain("did you mean");
  });

  it.each<[object]>([
    [page],
    [{ url: page.url }],
    [{ ...page, content: "quoted" }],
  ])("cites %j, also with the index of a stream", async (url_citation) => {
    const { post, sent } = await start("OPENROUTER", answer);
    const message = {
      role: "assistant",
      content: "x",
      annotations: [{ type: "url_citation", index: 0, url_citation }],
    };
    const next = await post({ messages: [question, message, question] });
    expect(next.status).toBe(200);
    expect(sent().messages[1].annotations?.[0]?.url_citation ?? { url: page.url }).toMatchObject({ url: page.url });
  });

  const details = [{ type: "reasoning.text", text: "Hm.", signature: "s", format: "anthropic-claude-v1", index: 0 }];
  it("returns OpenRouter's reasoning_details to OpenRouter, and their text to others", async () => {
    const message = {
      role: "assistant",
      content: null,
      tool_calls: [call],
      reasoning: "Hm.",
      reasoning_details: details,
    };
    const router = await start("OPENROUTER", answer);
    expect((await router.post({ messages: [question, message, result] })).status).toBe(200);
    expect(router.sent().messages[1].reasoning_details).toEqual(details);
    const { reasoning: _, ...detailsOnly } = message;
    const mistral = await start("MISTRAL", answer);
    expect((await mistral.post({ messages: [question, detailsOnly, result] })).status).toBe(200);
    expect(JSON.stringify(mistral.sent().messages[1])).toContain("Hm.");
  });

  it.each(["prefix", "partial"])("is continued if it is the last and has %s", async (name) => {
    const { post, sent } = await start("MISTRAL", answer);
    const next = await post({ messages: [question, { role: "assistant", content: "x", [name]: true }] });
    expect(next.status).toBe(200);
    expect(sent().messages[1]).toMatchObject({ content: "x", prefix: true });
  });
});

describe("a stream that the openai SDK joined", () => {
  it("is accepted back unchanged, with all annotations", async () => {
    const citation = (title: string, end_index: number) => ({
      annotations: [{ type: "url_citation", url_citation: { ...page, title, end_index } }],
    });
    const { openai, post } = await start(
      "OPENAI",
      streamed(
        delta({ content: "one" }),
        delta(citation("A", 1)),
        delta({ content: "two" }),
        delta(citation("B", 5)),
        finish(),
      ),
      answer,
    );
    const stream = openai.chat.completions.stream({ model: models.OPENAI, messages: [question] });
    const [choice] = (await stream.finalChatCompletion()).choices;
    expect(choice?.message.annotations).toEqual([...citation("A", 1).annotations, ...citation("B", 5).annotations]);
    const next = await post({ messages: [question, choice?.message, question] });
    expect(next.status).toBe(200);
  });

  it("has tool calls with parsed arguments", async () => {
    const first = { index: 0, id: "c1", type: "function", function: { name: "f", arguments: "{}" } };
    const { openai, post } = await start(
      "OPENAI",
      streamed(delta({ tool_calls: [first] }), finish({}, { finish_reason: "tool_calls" })),
      answer,
    );
    const parameters = { type: "object", properties: {}, required: [], additionalProperties: false };
    const tools = [{ type: "function" as const, function: { name: "f", strict: true, parameters } }];
    const stream = openai.chat.completions.stream({ model: models.OPENAI, messages: [question], tools });
    const message = await stream.finalMessage();
    const next = await post({ messages: [question, message, result], tools });
    expect([next.status, next.error]).toEqual([200, undefined]);
  });
});
