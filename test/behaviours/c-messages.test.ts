import { expect } from "vitest";
import { Role } from "../../src/gen/dragoman/v1/message_pb.js";
import { ask } from "../support/requests.ts";
import { behaviour } from "./behaviour.ts";
import { asDeepinfra, asEgpChat, failureOf, paths, says, startStage, wrongPlaces } from "./support.ts";

const d1 = { deployments: { d1: { model: "gpt-4o" } } };
const text = (value: string) => ({ kind: { case: "text" as const, value } });
const said = (role: Role, value: string) => ({ role, parts: [text(value)] });

const llama = "llama3.1-8b";
const llama2 = "meta-llama/Llama-2-70b-chat-hf";
/** A DeepInfra model that the catalog does not list, so Dragoman knows none of its limitations. */
const unlisted = "vendor/some-model";

behaviour(27, async () => {
  const { post, service, asked } = await startStage({ openai: [], cerebras: [], deepinfra: [] });
  const rejected = await post(paths.egpChat, { model: "gpt-4o", messages: [] });
  expect(rejected.status).toBe(422);
  expect(wrongPlaces(rejected)).toEqual(["body.messages"]);
  expect(await post(paths.cerebras, { model: llama, messages: [] })).toMatchObject({ status: 400 });
  expect(await post(paths.deepinfra, { model: llama2, messages: [] })).toMatchObject({ status: 422 });
  const call = service.chatClient("grpc").completeChat({ chat: { model: "gpt-4o", messages: [] } });
  expect(await failureOf(call)).toMatchObject({
    code: "InvalidArgument",
    reason: "INVALID_REQUEST",
    fields: ["chat.messages"],
  });
  expect(asked()).toBe(0);
});

behaviour(28, async () => {
  const { post, sent, service } = await startStage({ openai: [] }, d1);
  const messages = [
    { role: "system", content: "be terse" },
    { role: "user", content: "a" },
    { role: "assistant", content: "b" },
    { role: "user", content: "c" },
  ];
  await post(paths.egpChat, { model: "gpt-4o", messages });
  expect(sent("openai")).toMatchObject({ messages });
  await post(paths.egpDeployment("d1"), { chat_history: messages.slice(0, 3), prompt: "c" });
  expect(sent("openai")).toMatchObject({ messages });
  const chat = ask("gpt-4o", "", {
    ...asEgpChat,
    messages: [said(Role.SYSTEM, "be terse"), said(Role.USER, "a"), said(Role.ASSISTANT, "b"), said(Role.USER, "c")],
  });
  await service.chatClient("grpc").completeChat({ chat });
  expect(sent("openai")).toMatchObject({ messages });
});

behaviour(29, async () => {
  const { post, service, asked } = await startStage({ openai: [] }, d1);
  for (const role of ["agent", "tool"]) {
    const message = { role, content: "x", ...(role === "tool" && { name: "t" }) };
    const chat = await post(paths.egpChat, { model: "gpt-4o", messages: [...says("a"), message] });
    expect([chat.status, wrongPlaces(chat)]).toEqual([422, ["body.messages.1.role"]]);
    const deployment = await post(paths.egpDeployment("d1"), { chat_history: [message], prompt: "a" });
    expect([deployment.status, wrongPlaces(deployment)]).toEqual([422, ["body.chat_history.0.role"]]);
  }
  // The gRPC API has no role for agents.
  const agent = { ...said(Role.USER, "x"), role: 9 as Role };
  expect(
    await failureOf(
      service.chatClient("grpc").completeChat({ chat: ask("gpt-4o", "", { ...asEgpChat, messages: [agent] }) }),
    ),
  ).toMatchObject({ code: "InvalidArgument", fields: ["chat.messages[0].role"] });
  expect(asked()).toBe(0);
});

behaviour(30, async () => {
  const { post, sent, service } = await startStage({ cerebras: [] });
  const messages = [{ role: "developer", content: "be terse" }, ...says("hi")];
  const arrives = { messages: [{ role: "system", content: "be terse" }, ...says("hi")] };
  expect(await post(paths.cerebras, { model: llama, messages })).toMatchObject({ status: 200 });
  expect(sent("cerebras")).toMatchObject(arrives);
  const chat = ask(llama, "", { messages: [said(Role.DEVELOPER, "be terse"), said(Role.USER, "hi")] });
  await service.chatClient("grpc").completeChat({ chat });
  expect(sent("cerebras")).toMatchObject(arrives);
});

const call = { id: "call_1", type: "function", function: { name: "look", arguments: '{"at":"sky"}' } };
const toolTurns = (toolMessage: object) => [
  ...says("what is up?"),
  { role: "assistant", content: null, tool_calls: [call] },
  { role: "tool", content: "stars", ...toolMessage },
];
const toolCallPart = {
  kind: { case: "toolCall" as const, value: { id: "call_1", name: "look", argumentsJson: '{"at":"sky"}' } },
};
const toolResult = (toolCallId: string) => ({
  role: Role.TOOL,
  parts: [{ kind: { case: "toolResult" as const, value: { toolCallId, parts: [text("stars")] } } }],
});

behaviour(31, async () => {
  const { post, sent, service, asked } = await startStage({ cerebras: [], deepinfra: [] });
  const without = toolTurns({});
  expect(await post(paths.cerebras, { model: llama, messages: without })).toMatchObject({
    status: 400,
    body: { code: "wrong_api_format", message: expect.stringContaining("messages.2.tool_call_id") },
  });
  const rejected = await post(paths.deepinfra, { model: unlisted, messages: without });
  expect([rejected.status, wrongPlaces(rejected)]).toEqual([422, ["body.messages.2.tool_call_id"]]);
  const messages = [said(Role.USER, "what is up?"), { role: Role.ASSISTANT, parts: [toolCallPart] }];
  const { completeChat } = service.chatClient("grpc");
  const nameless = completeChat({ chat: ask(llama, "", { messages: [...messages, toolResult("")] }) });
  expect(await failureOf(nameless)).toMatchObject({
    code: "InvalidArgument",
    fields: expect.arrayContaining(["chat.messages[2].parts[0].tool_result.tool_call_id"]),
  });
  expect(asked()).toBe(0);

  const whole = toolTurns({ tool_call_id: "call_1" });
  const arrives = { role: "tool", tool_call_id: "call_1", content: "stars" };
  for (const [path, name, model] of [
    [paths.cerebras, "cerebras", llama],
    [paths.deepinfra, "deepinfra", unlisted],
  ] as const) {
    expect(await post(path, { model, messages: whole })).toMatchObject({ status: 200 });
    expect(sent(name).messages).toMatchObject([{}, { role: "assistant", tool_calls: [call] }, arrives]);
  }
  await completeChat({ chat: ask(llama, "", { messages: [...messages, toolResult("call_1")] }) });
  expect(sent("cerebras").messages).toMatchObject([{}, { tool_calls: [call] }, arrives]);
});

behaviour(32, async () => {
  const { post, sent, asked, service } = await startStage({ cerebras: [], deepinfra: [] });
  const nothing = [...says("a"), { role: "assistant", content: null }, ...says("b")];
  expect(await post(paths.cerebras, { model: llama, messages: nothing })).toMatchObject({
    status: 400,
    body: { message: expect.stringContaining("messages.1.content") },
  });
  const rejected = await post(paths.deepinfra, { model: unlisted, messages: nothing });
  expect([rejected.status, wrongPlaces(rejected)]).toEqual([422, ["body.messages.1.content"]]);
  // Over gRPC, an assistant message without parts is accepted: an old client may have dropped parts of new kinds.
  const empty = ask(llama, "", { messages: [said(Role.USER, "a"), { role: Role.ASSISTANT, parts: [] }] });
  expect((await service.chatClient("grpc").planChat({ chat: empty })).warnings).toMatchObject([
    { reason: "LEFT_OUT", field: "messages[1]" },
  ]);
  expect(asked()).toBe(0);

  const messages = toolTurns({ tool_call_id: "call_1" });
  expect(await post(paths.cerebras, { model: llama, messages })).toMatchObject({ status: 200 });
  expect(await post(paths.deepinfra, { model: unlisted, messages })).toMatchObject({ status: 200 });
  expect(sent("deepinfra").messages).toMatchObject([{}, { tool_calls: [call] }, {}]);
});

behaviour(33, async () => {
  const { post, sent, service } = await startStage({ openai: [], deepinfra: [] });
  const content = [
    { type: "text", text: "one " },
    { type: "text", text: "two" },
  ];
  const joined = (messages: unknown): string => {
    const last = (messages as { content: string | { text: string }[] }[]).at(-1)?.content ?? "";
    return typeof last === "string" ? last : last.map((part) => part.text).join("");
  };
  for (const spoken of [content, "one two"]) {
    await post(paths.egpChat, { model: "gpt-4o", messages: says(spoken) });
    expect(joined(sent("openai").messages)).toBe("one two");
    await post(paths.deepinfra, { model: llama2, messages: says(spoken) });
    expect(joined(sent("deepinfra").messages)).toBe("one two");
  }
  const parts = [text("one "), text("two")];
  await service
    .chatClient("grpc")
    .completeChat({ chat: ask("gpt-4o", "", { ...asEgpChat, messages: [{ role: Role.USER, parts }] }) });
  expect(joined(sent("openai").messages)).toBe("one two");
});

behaviour(40, async () => {
  const { post, sent, service, asked } = await startStage({ deepinfra: [] });
  const assistant = { role: "assistant", content: "b" };
  const rejected = await post(paths.deepinfra, { model: llama2, messages: [...says("a"), assistant] });
  expect([rejected.status, wrongPlaces(rejected)]).toEqual([422, ["body.messages.1.role"]]);
  const { completeChat } = service.chatClient("grpc");
  const turns = [said(Role.USER, "a"), said(Role.ASSISTANT, "b")];
  expect(await failureOf(completeChat({ chat: ask(llama2, "", { ...asDeepinfra, messages: turns }) }))).toMatchObject({
    code: "InvalidArgument",
    fields: ["chat.messages[1].role"],
  });
  expect(asked()).toBe(0);

  // Before the last message, roles may come in any order.
  const messages = [assistant, ...says("a"), ...says("b"), assistant, ...says("c")];
  expect(await post(paths.deepinfra, { model: llama2, messages })).toMatchObject({ status: 200 });
  expect(sent("deepinfra")).toMatchObject({ messages });
  await completeChat({ chat: ask(llama2, "", { ...asDeepinfra, messages: [...turns, said(Role.USER, "c")] }) });
});

behaviour(41, async () => {
  const { post, sent, service } = await startStage({ deepinfra: [] });
  const messages = [
    ...says("a"),
    { role: "assistant", content: "b" },
    { role: "system", content: "be terse" },
    ...says("c"),
  ];
  expect(await post(paths.deepinfra, { model: llama2, messages })).toMatchObject({ status: 200 });
  expect(sent("deepinfra")).toMatchObject({ messages });
  const turns = [said(Role.USER, "a"), said(Role.ASSISTANT, "b"), said(Role.SYSTEM, "be terse"), said(Role.USER, "c")];
  await service.chatClient("grpc").completeChat({ chat: ask(llama2, "", { ...asDeepinfra, messages: turns }) });
  expect(sent("deepinfra")).toMatchObject({ messages });
});

behaviour(42, async () => {
  const { post, service, asked } = await startStage({ deepinfra: [] });
  const system = { role: "system", content: "be terse" };
  const rejected = await post(paths.deepinfra, {
    model: llama2,
    messages: [system, ...says("a"), system, ...says("b")],
  });
  expect([rejected.status, wrongPlaces(rejected)]).toEqual([422, ["body.messages.2.role"]]);
  const turns = [said(Role.SYSTEM, "x"), said(Role.SYSTEM, "y"), said(Role.USER, "z")];
  const call = service.chatClient("grpc").completeChat({ chat: ask(llama2, "", { ...asDeepinfra, messages: turns }) });
  expect(await failureOf(call)).toMatchObject({ code: "InvalidArgument", fields: ["chat.messages[1].role"] });
  expect(asked()).toBe(0);
});

behaviour(43, async () => {
  const { post, sent, service } = await startStage({ deepinfra: [] });
  const messages = [...says("greet me"), { role: "assistant", content: "Well, " }];
  const reply = await post(paths.deepinfra, { model: llama2, messages, continue_final_message: true });
  // The response has only the text after the prefix.
  expect(reply).toMatchObject({ status: 200, body: { choices: [{ message: { content: "Hello" } }] } });
  expect(sent("deepinfra")).toMatchObject({ messages });
  const turns = [said(Role.USER, "greet me"), said(Role.ASSISTANT, "Well, ")];
  const chat = ask(llama2, "", { ...asDeepinfra, messages: turns, continueLastMessage: true });
  const { completion } = await service.chatClient("grpc").completeChat({ chat });
  expect(completion?.choices[0]?.message?.parts).toMatchObject([text("Hello")]);
  expect(sent("deepinfra")).toMatchObject({ messages });
});

behaviour(44, async () => {
  const { post, service, asked } = await startStage({ cerebras: [], deepinfra: [] });
  const messages = toolTurns({ tool_call_id: "call_9" });
  expect(await post(paths.cerebras, { model: llama, messages })).toMatchObject({
    status: 400,
    body: { message: expect.stringContaining("messages.2.tool_call_id") },
  });
  const rejected = await post(paths.deepinfra, { model: unlisted, messages });
  expect([rejected.status, wrongPlaces(rejected)]).toEqual([422, ["body.messages.2.tool_call_id"]]);
  // A tool result before its tool call is invalid.
  const turns = [said(Role.USER, "a"), toolResult("call_1"), { role: Role.ASSISTANT, parts: [toolCallPart] }];
  const call = service.chatClient("grpc").completeChat({ chat: ask(llama, "", { messages: turns }) });
  expect(await failureOf(call)).toMatchObject({
    code: "InvalidArgument",
    fields: ["chat.messages[1].parts[0].tool_result.tool_call_id"],
  });
  expect(asked()).toBe(0);
});

behaviour(45, async () => {
  const claude = { provider: "anthropic", provider_model: "claude-sonnet-4-6", profile: "deepinfra" };
  const { post, sent } = await startStage({ deepinfra: [], anthropic: [] }, { models: { "house/claude": claude } });
  const cache_control = { type: "ephemeral" };
  const messages = [{ role: "user", content: "hi", name: "ann", cache_control }];
  expect(await post(paths.deepinfra, { model: llama2, messages })).toMatchObject({ status: 200 });
  expect(sent("deepinfra").messages).toEqual([{ role: "user", content: "hi", name: "ann", cache_control }]);
  // A provider with prompt cache breakpoints receives it too.
  expect(await post(paths.deepinfra, { model: "house/claude", messages })).toMatchObject({ status: 200 });
  expect(sent("anthropic").messages).toEqual([
    { role: "user", content: [{ type: "text", text: "hi", cache_control }] },
  ]);

  // Both fields are optional and have no default.
  await post(paths.deepinfra, { model: llama2, messages: says("hi") });
  expect(sent("deepinfra").messages).toEqual(says("hi"));
  await post(paths.deepinfra, { model: "house/claude", messages: says("hi") });
  expect(JSON.stringify(sent("anthropic"))).not.toContain("cache_control");
  const wrong = [{ role: "user", content: "hi", cache_control: { type: "forever" } }];
  expect(wrongPlaces(await post(paths.deepinfra, { model: llama2, messages: wrong }))).toEqual([
    "body.messages.0.cache_control.type",
  ]);
});

behaviour(46, async () => {
  const { post, sent } = await startStage({ openai: [] }, d1);
  const chat_history = [...says("a"), { role: "assistant", content: "b" }];
  expect(await post(paths.egpDeployment("d1"), { chat_history, prompt: "c" })).toMatchObject({ status: 200 });
  expect(sent("openai").messages).toEqual([...chat_history, ...says("c")]);
});

behaviour(47, async () => {
  const { post, asked } = await startStage({ openai: [] }, d1);
  const missing = await post(paths.egpDeployment("d1"), { prompt: "hi" });
  expect([missing.status, wrongPlaces(missing)]).toEqual([422, ["body.chat_history"]]);
  expect(missing.body).toMatchObject({ detail: [{ type: "value_error.missing" }] });
  expect(asked()).toBe(0);
  expect(await post(paths.egpDeployment("d1"), { prompt: "hi", chat_history: [] })).toMatchObject({ status: 200 });
});

behaviour(48, async () => {
  const { post, asked } = await startStage({ openai: [] }, d1);
  const missing = await post(paths.egpDeployment("d1"), { chat_history: says("hi") });
  expect([missing.status, wrongPlaces(missing)]).toEqual([422, ["body.prompt"]]);
  expect(asked()).toBe(0);
});
