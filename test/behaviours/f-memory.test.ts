import { create } from "@bufbuild/protobuf";
import { expect, onTestFinished, vi } from "vitest";
import { ChatRequestSchema } from "../../src/gen/dragoman/v1/chat_request_pb.js";
import { Role } from "../../src/gen/dragoman/v1/message_pb.js";
import { ModelSchema } from "../../src/gen/dragoman/v1/model_pb.js";
import { tokenCounter } from "../../src/tokens/counter.ts";
import { countingThread } from "../../src/tokens/counting-thread.ts";
import { counting } from "../support/counting.ts";
import { behaviour } from "./behaviour.ts";
import { callers, expectRefused, placesOf, turns, words } from "./callers.ts";
import { asCerebras, asEgpChat, failureOf, says, startStage } from "./support.ts";
import { warningsOf } from "./wire.ts";

const texts = (...contents: readonly string[]) => contents.map((content) => ({ role: "user", content }));
const lastK = (k: number) => ({ strategy: { case: "lastK", value: { k } } }) as const;
const system = { role: "system", content: "be brief" };
const systemTurn = { role: Role.SYSTEM, parts: [{ kind: { case: "text", value: "be brief" } as const }] };

const onEcho = { models: { "gpt-4o": { provider: "echo", provider_model: "echo" } } };
const sentTexts = (body: Record<string, unknown>) =>
  (body.messages as { content: string }[]).map(({ content }) => content);

behaviour(76, async () => {
  const stage = await startStage({ openai: [] });
  const { egpChat, grpc } = callers(stage);
  const messages = texts("a", "b", "c", "d", "e");
  const memory = { memory_strategy: { name: "last_k", params: { k: 2 } } };
  expect((await egpChat({ instructions: null, messages, ...memory })).status).toBe(200);
  expect(stage.sent("openai").messages).toEqual(texts("d", "e"));

  await grpc("gpt-4o", {
    ...asEgpChat,
    instructions: "",
    messages: turns("a", "b", "c", "d", "e"),
    memoryStrategy: lastK(2),
  });
  expect(stage.sent("openai").messages).toEqual(texts("d", "e"));
});

behaviour(77, async () => {
  const stage = await startStage({ openai: [] });
  const { egpChat, grpc } = callers(stage);
  for (const k of [0, -1]) {
    const reply = await egpChat({ memory_strategy: { params: { k } } });
    expect(placesOf(reply)).toEqual([422, ["body.memory_strategy.params.k"]]);
    await expectRefused(grpc("gpt-4o", { ...asEgpChat, memoryStrategy: lastK(k) }), "memory_strategy.last_k.k");
  }
  expect(stage.asked()).toBe(0);
  expect((await egpChat({ memory_strategy: { params: { k: 1 } } })).status).toBe(200);
  await grpc("gpt-4o", { ...asEgpChat, memoryStrategy: lastK(1) });
});

behaviour(78, async () => {
  const stage = await startStage({ openai: [] });
  const { egpChat, grpc } = callers(stage);
  const messages = texts("a", "b", "c");
  await egpChat({ instructions: null, messages, memory_strategy: { params: { k: 99 } } });
  expect(stage.sent("openai").messages).toEqual(messages);
  await grpc("gpt-4o", { ...asEgpChat, instructions: "", messages: turns("a", "b", "c"), memoryStrategy: lastK(99) });
  expect(stage.sent("openai").messages).toEqual(messages);
});

behaviour(79, async () => {
  const stage = await startStage({ openai: [] });
  const { egpChat, grpc } = callers(stage);
  const summary = await egpChat({ memory_strategy: { name: "summary", params: { k: 1 } } });
  expect(placesOf(summary)).toEqual([422, ["body.memory_strategy.name"]]);
  // gRPC cannot express an unknown strategy; protobuf drops it, and the message has no strategy.
  await expectRefused(grpc("gpt-4o", { ...asEgpChat, memoryStrategy: {} }), "memory_strategy.strategy");
  expect(stage.asked()).toBe(0);

  await egpChat({ instructions: null, messages: texts("a", "b"), memory_strategy: { params: { k: 1 } } });
  expect(stage.sent("openai").messages).toEqual(texts("b"));
});

behaviour(80, async () => {
  const stage = await startStage({ openai: [] });
  const { egpChat, grpc } = callers(stage);
  const empty = await egpChat({ memory_strategy: { name: "last_k", params: {} } });
  expect(placesOf(empty)).toEqual([422, ["body.memory_strategy.params.k"]]);
  const none = await egpChat({ memory_strategy: { name: "last_k" } });
  expect(placesOf(none)).toEqual([422, ["body.memory_strategy.params"]]);
  const unset = { strategy: { case: "lastK", value: {} } } as const;
  await expectRefused(grpc("gpt-4o", { ...asEgpChat, memoryStrategy: unset }), "memory_strategy.last_k.k");
  expect(stage.asked()).toBe(0);
});

behaviour(81, async () => {
  const stage = await startStage({ openai: [] });
  const { egpChat, grpc } = callers(stage);
  const one = { memory_strategy: { params: { k: 1 } } };
  const expected = [system, ...texts("c")];
  await egpChat({ instructions: "be brief", messages: texts("a", "b", "c"), ...one });
  expect(stage.sent("openai").messages).toEqual(expected);
  await egpChat({ messages: [system, ...texts("a", "b", "c")], ...one });
  expect(stage.sent("openai").messages).toEqual(expected);
  // A system message among the kept messages does not count towards k either.
  await egpChat({ messages: [...texts("a", "b"), system, ...texts("c")], memory_strategy: { params: { k: 2 } } });
  expect(stage.sent("openai").messages).toEqual([...texts("b"), system, ...texts("c")]);

  await grpc("gpt-4o", { ...asEgpChat, messages: [systemTurn, ...turns("a", "b", "c")], memoryStrategy: lastK(1) });
  expect(stage.sent("openai").messages).toEqual(expected);
  await grpc("gpt-4o", { ...asEgpChat, instructions: "be brief", messages: turns("a", "c"), memoryStrategy: lastK(1) });
  expect(stage.sent("openai").messages).toEqual(expected);
});

behaviour(82, async () => {
  const stage = await startStage({ openai: [] });
  const { egpChat, grpc } = callers(stage);
  const ten = [..."abcdefghij"];
  await egpChat({ instructions: null, messages: texts(...ten) });
  expect(sentTexts(stage.sent("openai"))).toEqual(ten);
  await grpc("gpt-4o", { ...asEgpChat, instructions: "", messages: turns(...ten) });
  expect(sentTexts(stage.sent("openai"))).toEqual(ten);
});

behaviour(83, async () => {
  // The echo provider counts each word of the prompt as one token.
  const { egpChat, grpc } = callers(await startStage({}, onEcho));
  const used = async (more: object) => {
    const { body } = await egpChat({ instructions: null, messages: texts("one two", "three four", "five"), ...more });
    return (body as { token_usage: object }).token_usage;
  };
  expect(await used({})).toEqual({ prompt: 5, completion: 1, total: 6 });
  expect(await used({ memory_strategy: { params: { k: 1 } } })).toEqual({ prompt: 1, completion: 1, total: 2 });

  const messages = turns("one two", "three four", "five");
  const { usage } = await grpc("gpt-4o", { ...asEgpChat, instructions: "", messages, memoryStrategy: lastK(2) });
  expect(usage).toMatchObject({ inputTokens: 3, totalTokens: 4 });
});

behaviour(84, async () => {
  const stage = await startStage({ "llm-engine": [] }, { deployments: { d1: { model: "llama-3-8b-instruct" } } });
  const { egpDeployment, grpc } = callers(stage);
  // The tokenizers run in a thread; an estimate does not use them.
  const count = vi.spyOn(countingThread, "count");
  onTestFinished(() => count.mockRestore());
  const model = create(ModelSchema, { provider: "llm-engine", providerModel: "llama-3-8b-instruct" });
  const estimate = (prompt: string) =>
    tokenCounter(model, counting).estimate(create(ChatRequestSchema, { messages: turns(prompt) })).tokens / 8192;
  for (const [prompt, share, expected] of [
    [words(4350), 0.5, 0],
    [words(7400), 0.85, 1],
  ] as const) {
    expect(estimate(prompt)).toBeCloseTo(share, 2);
    for (const ask of [() => egpDeployment({ prompt }), () => grpc("deployments/d1", { messages: turns(prompt) })]) {
      count.mockClear();
      await ask();
      expect(count).toHaveBeenCalledTimes(expected);
    }
  }
  expect(stage.asked()).toBe(4);
});

behaviour(85, async () => {
  const file = { deployments: { d1: { model: "gpt-4", context_window: 100 } } };
  const stage = await startStage({ openai: [] }, file);
  const { egpDeployment, grpc } = callers(stage);
  // Each message has 20 tokens plus its role: three fit next to the system text, the prompt and a response.
  const [first, ...others] = [..."abcde"].map((letter) => `${letter} ${words(19)}`);
  const reply = await egpDeployment({ chat_history: [system, ...texts(first ?? "", ...others)], prompt: "last words" });
  expect(reply.status).toBe(200);
  expect(stage.sent("openai").messages).toEqual([system, ...texts(...others.slice(-3), "last words")]);
  expect(warningsOf(reply)).toEqual([["EMULATED", "memory_strategy"]]);

  const messages = [systemTurn, ...turns(first ?? "", ...others, "last words")];
  const { warnings } = await grpc("deployments/d1", { messages });
  expect(sentTexts(stage.sent("openai"))).toEqual(["be brief", ...others.slice(-3), "last words"]);
  expect(warnings).toMatchObject([{ reason: "EMULATED", field: "memory_strategy" }]);

  // Dragoman drops nothing if the conversation fits.
  expect(warningsOf(await egpDeployment({ chat_history: [system], prompt: "last words" }))).toEqual([]);
});

behaviour(86, async () => {
  const file = { deployments: { d1: { model: "gpt-4", context_window: 100 } } };
  const stage = await startStage({ openai: [] }, file);
  const { egpDeployment, grpc } = callers(stage);
  // The chat format adds seven tokens.
  const reply = await egpDeployment({ prompt: words(101), chat_history: texts("older") });
  expect(reply.status).toBe(400);
  expect(reply.body).toEqual({ detail: expect.stringMatching(/\b108 tokens\b.*\b100\b/) });
  const failure = await failureOf(grpc("deployments/d1", { messages: turns("older", words(101)) }));
  expect(failure).toMatchObject({ code: "InvalidArgument", reason: "CONTEXT_LENGTH_EXCEEDED" });
  expect(failure.message).toMatch(/\b108 tokens\b.*\b100\b/);
  expect(stage.asked()).toBe(0);
});

behaviour(87, async () => {
  const stage = await startStage({ openai: [] });
  const { egpChat, grpc } = callers(stage);
  const long = { model: "gpt-4", instructions: null, messages: texts(words(5000), words(5000)) };
  const reply = await egpChat(long);
  expect(reply.status).toBe(400);
  expect(reply.body).toEqual({ detail: expect.stringMatching(/\b10011 tokens\b.*\b8192\b.*memory_strategy/) });
  const messages = turns(words(5000), words(5000));
  expect(await failureOf(grpc("gpt-4", { ...asEgpChat, instructions: "", messages }))).toMatchObject({
    ...{ code: "InvalidArgument", reason: "CONTEXT_LENGTH_EXCEEDED" },
  });
  expect(stage.asked()).toBe(0);
  expect((await egpChat({ ...long, memory_strategy: { params: { k: 1 } } })).status).toBe(200);
  await grpc("gpt-4", { ...asEgpChat, instructions: "", messages, memoryStrategy: lastK(1) });
});

behaviour(88, async () => {
  // Dragoman does not know Cerebras' template, so near the limit Cerebras decides, and Dragoman forwards its error.
  const refusal = {
    message: "Please reduce the length of the messages or completion. Current length is 8193 while limit is 8192",
    ...{ type: "invalid_request_error", param: "messages", code: "context_length_exceeded" },
  };
  const script = { status: 400, headers: { "content-type": "application/json" } };
  const stage = await startStage({ cerebras: [{ ...script, steps: [{ write: JSON.stringify(refusal) }] }] });
  const { cerebras, grpc } = callers(stage);
  const near = await cerebras({ messages: says(words(8180)) });
  expect(near).toMatchObject({ status: 400, body: { code: "context_length_exceeded" } });
  expect(near.body).toMatchObject({ message: expect.stringMatching(/\b8193\b.*\b8192\b/) });
  const failure = await failureOf(grpc("llama3.1-8b", { ...asCerebras, messages: turns(words(8180)) }));
  expect(failure).toMatchObject({ code: "InvalidArgument", reason: "CONTEXT_LENGTH_EXCEEDED" });
  expect(failure.message).toMatch(/\b8193\b.*\b8192\b/);
  expect(stage.asked()).toBe(2);

  // Dragoman does not send a prompt that is certainly too long.
  const far = await cerebras({ messages: says(words(9000)) });
  expect(far).toMatchObject({ status: 400, body: { code: "context_length_exceeded" } });
  expect(far.body).toMatchObject({ message: expect.stringMatching(/\b90\d\d tokens\b.*\b8192\b/) });
  const surely = await failureOf(grpc("llama3.1-8b", { ...asCerebras, messages: turns(words(9000)) }));
  expect(surely.message).toMatch(/\b90\d\d tokens\b.*\b8192\b/);
  expect(stage.asked()).toBe(2);
});

behaviour(89, async () => {
  const stage = await startStage({ deepinfra: [] });
  const { deepinfra, grpc } = callers(stage);
  const model = "meta-llama/Llama-2-70b-chat-hf";
  const reply = await deepinfra({ model, messages: says(words(5000)) });
  expect(reply).toMatchObject({ status: 400, body: { error: { code: "context_length_exceeded" } } });
  expect(await failureOf(grpc(model, { messages: turns(words(5000)) }))).toMatchObject({
    ...{ code: "InvalidArgument", reason: "CONTEXT_LENGTH_EXCEEDED" },
  });
  expect(stage.asked()).toBe(0);
  expect((await deepinfra({ model, messages: says(words(3000)) })).status).toBe(200);
});
