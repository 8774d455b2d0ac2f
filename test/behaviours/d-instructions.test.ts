import { expect } from "vitest";
import { Role } from "../../src/gen/dragoman/v1/message_pb.js";
import { ask } from "../support/requests.ts";
import { behaviour } from "./behaviour.ts";
import { asEgpChat, failureOf, paths, promptAnswer, says, startStage, wrongPlaces } from "./support.ts";

// Default of `instructions` in the Scale EGP chat completions API.
const usual =
  "You are an AI assistant that helps users with their questions by chatting back and forth with them. When asked a question, you should answer it as best as you can with the information you have. If you need more information, you can ask the user for it.";

const system = (content: string) => ({ role: "system", content });
const body = { model: "gpt-4o", messages: says("hi") };
const systemTurn = (value: string) => ({ role: Role.SYSTEM, parts: [{ kind: { case: "text" as const, value } }] });
const withSystem = { messages: [systemTurn("be terse"), ...ask("", "hi").messages] };

behaviour(49, async () => {
  const { post, sent, service } = await startStage(
    { openai: [], cerebras: [] },
    { deployments: { d1: { model: "gpt-4o" } } },
  );
  const reply = await post(paths.egpChat, body);
  expect(sent("openai").messages).toEqual([system(usual), ...says("hi")]);
  const { completeChat } = service.chatClient("grpc");
  const { completion } = await completeChat({ chat: ask("gpt-4o", "hi", asEgpChat) });
  expect(sent("openai").messages).toEqual([system(usual), ...says("hi")]);
  // Over gRPC, a warning names the text that the profile added. The API documents it to its own callers.
  expect(completion?.warnings).toMatchObject([{ reason: "ADDED", field: "instructions" }]);
  expect(reply.headers.get("x-dragoman-warnings")).toBeNull();

  // Other APIs and profiles do not have this default.
  await post(paths.egpDeployment("d1"), { prompt: "hi", chat_history: [] });
  expect(sent("openai").messages).toEqual(says("hi"));
  for (const model of ["gpt-4o", "openai/gpt-4o"]) {
    await completeChat({ chat: ask(model, "hi") });
    expect(sent("openai").messages).toEqual(says("hi"));
  }
  await post(paths.cerebras, { ...body, model: "llama3.1-8b" });
  expect(sent("cerebras").messages).toEqual(says("hi"));
});

behaviour(50, async () => {
  const { post, sent } = await startStage({ openai: [] });
  await post(paths.egpChat, { ...body, instructions: null });
  expect(sent("openai").messages).toEqual(says("hi"));
});

behaviour(51, async () => {
  const { post, sent, service } = await startStage({ openai: [] });
  await post(paths.egpChat, { ...body, instructions: "be terse" });
  expect(sent("openai").messages).toEqual([system("be terse"), ...says("hi")]);
  await service
    .chatClient("grpc")
    .completeChat({ chat: ask("gpt-4o", "hi", { ...asEgpChat, instructions: "be terse" }) });
  expect(sent("openai").messages).toEqual([system("be terse"), ...says("hi")]);
});

behaviour(52, async () => {
  const { post, service, asked } = await startStage({ openai: [] });
  const messages = [system("be terse"), ...says("hi")];
  const rejected = await post(paths.egpChat, { ...body, messages, instructions: "be kind" });
  expect([rejected.status, wrongPlaces(rejected)]).toEqual([422, ["body.instructions"]]);
  const chat = ask("gpt-4o", "", { ...asEgpChat, ...withSystem, instructions: "be kind" });
  expect(await failureOf(service.chatClient("grpc").completeChat({ chat }))).toMatchObject({
    code: "InvalidArgument",
    reason: "INVALID_REQUEST",
    fields: ["chat.instructions"],
  });
  expect(asked()).toBe(0);
  // Null instructions do not conflict with a system message.
  expect(await post(paths.egpChat, { ...body, messages, instructions: null })).toMatchObject({ status: 200 });
});

behaviour(53, async () => {
  const { post, sent, service } = await startStage({ openai: [] });
  const messages = [system("be terse"), ...says("hi")];
  await post(paths.egpChat, { ...body, messages });
  expect(sent("openai").messages).toEqual(messages);
  await service.chatClient("grpc").completeChat({ chat: ask("gpt-4o", "", { ...asEgpChat, ...withSystem }) });
  expect(sent("openai").messages).toEqual(messages);
});

behaviour(54, async () => {
  const { post, sent, service } = await startStage({ openai: [] });
  await post(paths.egpChat, { ...body, instructions: "" });
  expect(sent("openai").messages).toEqual(says("hi"));
  await service.chatClient("grpc").completeChat({ chat: ask("gpt-4o", "hi", { ...asEgpChat, instructions: "" }) });
  expect(sent("openai").messages).toEqual(says("hi"));
});

behaviour(55, async () => {
  const { post, sent, service } = await startStage({ openai: [], "llm-engine": [] });
  const folded = [
    {
      role: "user",
      content: [
        { type: "text", text: "be terse\n\n" },
        { type: "text", text: "hi" },
      ],
    },
  ];
  await post(paths.egpChat, { ...body, model: "o1-mini", instructions: "be terse" });
  expect(sent("openai").messages).toEqual(folded);
  await post(paths.egpChat, { ...body, model: "o1-mini", messages: [system("be terse"), ...says("hi")] });
  expect(sent("openai").messages).toEqual(folded);
  const { completion } = await service
    .chatClient("grpc")
    .completeChat({ chat: ask("o1-mini", "", { ...asEgpChat, ...withSystem }) });
  expect(sent("openai").messages).toEqual(folded);
  expect(completion?.warnings).toContainEqual(expect.objectContaining({ reason: "EMULATED", field: "messages" }));

  // Mixtral's template does not support a system message either.
  const options = { options: { api: "v1" } };
  const engine = await startStage({ "llm-engine": [promptAnswer] }, { providers: { "llm-engine": options } });
  await engine.post(paths.egpChat, { ...body, model: "mixtral-8x7b-instruct", instructions: "be terse" });
  expect(engine.sent("llm-engine").prompt).toBe(" [INST] be terse\n\nhi [/INST]");
});

behaviour(56, async () => {
  const { post, sent, service } = await startStage({ anthropic: [], gemini: [] });
  const claude = "claude-3-opus-20240229";
  const expectApart = (): void => {
    expect(sent("anthropic")).toMatchObject({ system: [{ type: "text", text: "be terse" }] });
    expect(sent("anthropic").messages).toEqual([{ role: "user", content: [{ type: "text", text: "hi" }] }]);
  };
  await post(paths.egpChat, { ...body, model: claude, instructions: "be terse" });
  expectApart();
  await service.chatClient("grpc").completeChat({ chat: ask(claude, "", withSystem) });
  expectApart();
  await post(paths.egpChat, { ...body, model: "gemini-1.5-pro-002", instructions: "be terse" });
  expect(sent("gemini")).toMatchObject({ systemInstruction: { parts: [{ text: "be terse" }] } });
  expect(sent("gemini").contents).toEqual([{ role: "user", parts: [{ text: "hi" }] }]);
});
