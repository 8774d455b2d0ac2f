import { describe, expect, it, onTestFinished } from "vitest";
import { createFold } from "../../src/chat/stream/fold.ts";
import { Role } from "../../src/gen/dragoman/v1/message_pb.js";
import { ToolChoiceMode } from "../../src/gen/dragoman/v1/tool_pb.js";
import { failureOf } from "../behaviours/support.ts";
import { delta, finish, streamed, whole } from "../behaviours/wire.ts";
import { type Script, startReplayUpstream } from "../support/replay-upstream.ts";
import { ask } from "../support/requests.ts";
import { startTestService } from "../support/service.ts";
import { allow, functionTool, providerTool } from "../support/tools.ts";

async function start(provider: string, ...scripts: readonly Script[]) {
  const upstream = await startReplayUpstream(...scripts);
  onTestFinished(() => upstream[Symbol.asyncDispose]());
  const name = provider.toUpperCase();
  const service = await startTestService({ [`${name}_API_KEY`]: "k", [`${name}_BASE_URL`]: upstream.baseUrl });
  onTestFinished(() => service.stop());
  const body = () => JSON.parse(upstream.requests.at(-1)?.body ?? "");
  return { client: service.chatClient("grpc"), http: `http://${service.httpAddress}`, upstream, body };
}

const wireCall = (name: string) => ({ id: "call_1", type: "function", function: { name, arguments: "{}" } });
const calling = (name: string) => ({
  whole: whole({ content: null, tool_calls: [wireCall(name)] }, { choice: { finish_reason: "tool_calls" } }),
  stream: streamed(
    delta({ role: "assistant", tool_calls: [{ index: 0, ...wireCall(name) }] }),
    finish({ finish_reason: "tool_calls" }),
  ),
});

const dotted = "calendar.events.list";
const tools = [functionTool({ name: dotted }), functionTool({ name: "get_time" })];
const names = (body: { readonly tools: readonly { readonly function: { readonly name: string } }[] }) =>
  body.tools.map((tool) => tool.function.name);

describe("a function name that the provider does not accept", () => {
  it("is mapped in the request, and restored in whole and streamed responses", async () => {
    const answer = calling("calendar_events_list");
    const { client, body } = await start("openai", answer.whole, answer.stream, answer.whole);
    const chat = ask("openai/gpt-4o", "hi", { tools });
    const { completion } = await client.completeChat({ chat });
    expect(names(body())).toEqual(["calendar_events_list", "get_time"]);
    const message = completion?.choices[0]?.message;
    expect(message?.parts[0]?.kind.value).toMatchObject({ name: dotted });
    expect(completion?.warnings.map(({ reason, field }) => [reason, field])).toEqual([
      ["EMULATED", "tools[0].function.name"],
    ]);

    const fold = createFold();
    for await (const { event } of client.streamChat({ chat })) if (event.case !== undefined) fold.add(event);
    expect(fold.completion.choices[0]?.message).toEqual(message);
    if (message === undefined) return expect.fail("the response has no message");

    const result = { case: "toolResult", value: { toolCallId: "call_1" } } as const;
    const messages = [...chat.messages, message, { role: Role.TOOL, parts: [{ kind: result }] }];
    await client.completeChat({ chat: { ...ask("openai/gpt-4o", "hi", { tools, messages }) } });
    expect(body().messages[1].tool_calls[0].function.name).toBe("calendar_events_list");
  });

  it("is restored in OpenAI's HTTP API", async () => {
    const { http, body } = await start("openai", calling("calendar_events_list").whole);
    const reply = await fetch(`${http}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        model: "openai/gpt-4o",
        messages: [{ role: "user", content: "hi" }],
        tools: [{ type: "function", function: { name: dotted } }],
        tool_choice: { type: "function", function: { name: dotted } },
      }),
    });
    expect(body().tool_choice.function.name).toBe("calendar_events_list");
    const { choices } = (await reply.json()) as { choices: readonly { message: { tool_calls: object[] } }[] };
    expect(choices[0]?.message.tool_calls).toMatchObject([{ function: { name: dotted } }]);
  });

  it("is kept where the provider accepts it", async () => {
    const { client } = await start("gemini");
    const plan = await client.planChat({ chat: ask("gemini/gemini-2.5-flash", "hi", { tools }) });
    expect(plan.warnings).toEqual([]);
    expect(plan.providerRequestJson).toContain(`"name":"${dotted}"`);
  });
});

describe("tool_choice.allowed_tools", () => {
  const { AUTO, REQUIRED } = ToolChoiceMode;
  const three = ["a", "b", "c"].map((name) => functionTool({ name }));

  it.each([
    [AUTO, "auto"],
    [REQUIRED, "required"],
  ])("is sent to OpenAI in its own form: mode %s", async (mode, word) => {
    const { client } = await start("openai");
    const toolChoice = allow(mode, "c", "a");
    const plan = await client.planChat({ chat: ask("openai/gpt-4o", "hi", { tools: three, toolChoice }) });
    expect(plan.warnings).toEqual([]);
    const sent = JSON.parse(plan.providerRequestJson);
    expect(names(sent)).toEqual(["a", "b", "c"]);
    const named = (name: string) => ({ type: "function", function: { name } });
    expect(sent.tool_choice).toEqual({
      type: "allowed_tools",
      allowed_tools: { mode: word, tools: [named("c"), named("a")] },
    });
  });

  it("reaches OpenAI unchanged through OpenAI's HTTP API", async () => {
    const { http, body } = await start("openai", whole({ content: "ok" }));
    const named = (name: string) => ({ type: "function", function: { name } });
    const tool_choice = { type: "allowed_tools", allowed_tools: { mode: "required", tools: [named("b")] } };
    const send = (choice: object) =>
      fetch(`${http}/v1/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({
          model: "openai/gpt-4o",
          messages: [{ role: "user", content: "hi" }],
          tools: [named("a"), named("b")],
          tool_choice: choice,
        }),
      });
    expect((await send(tool_choice)).status).toBe(200);
    expect(body().tool_choice).toEqual(tool_choice);
    const unknown = await send({ type: "allowed_tools", allowed_tools: { mode: "auto", tools: [named("z")] } });
    expect([unknown.status, await unknown.json()]).toMatchObject([
      400,
      { error: { param: "tool_choice.allowed_tools.tools.0.function.name" } },
    ]);
  });

  it.each([
    [REQUIRED, "ANY", []],
    [AUTO, "VALIDATED", [["EMULATED", "tool_choice.allowed_tools.mode"]]],
  ])("becomes Gemini's allowedFunctionNames: mode %s", async (mode, word, warned) => {
    const { client } = await start("gemini");
    const toolChoice = allow(mode, "c", "a");
    const plan = await client.planChat({ chat: ask("gemini/gemini-2.5-flash", "hi", { tools: three, toolChoice }) });
    expect(plan.warnings.map(({ reason, field }) => [reason, field])).toEqual(warned);
    const sent = JSON.parse(plan.providerRequestJson);
    expect(sent.tools[0].functionDeclarations).toHaveLength(3);
    expect(sent.toolConfig.functionCallingConfig).toEqual({ mode: word, allowedFunctionNames: ["c", "a"] });
  });

  it("sends only the allowed tools to other providers, with the mode", async () => {
    const { client } = await start("anthropic");
    const hinted = [functionTool({ name: "a" }), functionTool({ name: "b.b", cacheHint: {} })];
    const plan = await client.planChat({
      chat: ask("anthropic/claude-sonnet-4-5", "hi", { tools: hinted, toolChoice: allow(REQUIRED, "b.b") }),
    });
    expect(plan.warnings.map(({ reason, field }) => [reason, field])).toEqual([
      ["EMULATED", "tool_choice.allowed_tools"],
      ["EMULATED", "tools[1].function.name"],
    ]);
    const sent = JSON.parse(plan.providerRequestJson);
    expect(sent.tools).toMatchObject([{ name: "b_b", cache_control: { type: "ephemeral" } }]);
    expect(sent.tool_choice).toEqual({ type: "any" });
  });

  it("keeps the tools that the provider runs beside the allowed functions", async () => {
    const { client } = await start("anthropic");
    const tools = [
      providerTool({ provider: "anthropic", type: "web_search_20250305" }),
      functionTool({ name: "a" }),
      functionTool({ name: "b" }),
    ];
    const plan = await client.planChat({
      chat: ask("anthropic/claude-sonnet-4-5", "hi", { tools, toolChoice: allow(REQUIRED, "b") }),
    });
    expect(JSON.parse(plan.providerRequestJson).tools).toMatchObject([{ name: "web_search" }, { name: "b" }]);
  });

  it("names the caller's fields if the provider rejects the mode", async () => {
    const { client } = await start("ollama");
    const chat = ask("ollama/m", "hi", { tools: three, toolChoice: allow(REQUIRED, "c") });
    expect(await failureOf(client.planChat({ chat }))).toMatchObject({
      reason: "UNSUPPORTED_PARAMETER",
      fields: ["chat.tool_choice.allowed_tools.mode"],
    });
  });

  it("keeps earlier calls of tools that are not allowed now", async () => {
    const { client } = await start("anthropic");
    const call = { case: "toolCall", value: { id: "1", name: "a", argumentsJson: "{}" } } as const;
    const result = { case: "toolResult", value: { toolCallId: "1" } } as const;
    const messages = [
      ...ask("m", "hi").messages,
      { role: Role.ASSISTANT, parts: [{ kind: call }] },
      { role: Role.TOOL, parts: [{ kind: result }] },
    ];
    const chat = ask("anthropic/claude-sonnet-4-5", "", { messages, tools: three, toolChoice: allow(AUTO, "b") });
    const sent = JSON.parse((await client.planChat({ chat })).providerRequestJson);
    expect(sent.tools.map(({ name }: { name: string }) => name)).toEqual(["b"]);
    expect(sent.messages[1].content[0]).toMatchObject({ type: "tool_use", name: "a" });
  });
});

describe("a tool that the provider runs", () => {
  const search = providerTool({ type: "web_search", configJson: '{"max_uses":3}' });

  it("is rejected with its path if the request goes to another provider", async () => {
    const { client } = await start("anthropic");
    const chat = ask("anthropic/claude-sonnet-4-5", "hi", { tools: [...tools, search] });
    expect(await failureOf(client.planChat({ chat }))).toMatchObject({
      reason: "UNSUPPORTED_PARAMETER",
      fields: ["chat.tools[2].provider_tool.provider"],
      message: expect.stringMatching(/one of openai, but the request goes to anthropic; omit it or/),
    });
  });

  it.each([
    ["no tool choice", undefined],
    ["REQUIRED", { choice: { case: "mode", value: ToolChoiceMode.REQUIRED } } as const],
    ["NONE", { choice: { case: "mode", value: ToolChoiceMode.NONE } } as const],
  ])("is rejected as long as no adapter sends it: %s", async (_, toolChoice) => {
    const { client } = await start("cerebras");
    const own = providerTool({ provider: "cerebras", type: "web_search" });
    const fields = { tools: [own], ...(toolChoice && { toolChoice }) };
    expect(await failureOf(client.planChat({ chat: ask("cerebras/gpt-oss-120b", "hi", fields) }))).toMatchObject({
      reason: "UNSUPPORTED_PARAMETER",
      fields: ["chat.tools[0].provider_tool"],
      message: expect.stringContaining("use a function tool"),
    });
  });
});
