import { expect } from "vitest";
import { Profile } from "../../src/gen/dragoman/v1/profile_pb.js";
import { isEmbeddingModel } from "../../src/models/model-row.ts";
import { seed000, seed001 } from "../support/egp-ids.ts";
import type { Script } from "../support/replay-upstream.ts";
import { ask } from "../support/requests.ts";
import type { TestService } from "../support/service.ts";
import { behaviour } from "./behaviour.ts";
import { failureOf, paths, promptAnswer, type Stage, says, startStage, wrongPlaces } from "./support.ts";

/** All providers of the models in EGP's list. */
const egpBackends = { openai: [], gemini: [], anthropic: [], mistral: [], bedrock: [], "llm-engine": [] } as const;

async function acceptsAll(stage: Stage, ids: readonly string[]): Promise<void> {
  const { completeChat } = stage.service.chatClient("grpc");
  for (const model of ids) {
    const { status, body } = await stage.post(paths.egpChat, { model, messages: says("hi") });
    expect([model, status, body]).toEqual([
      model,
      200,
      expect.objectContaining({ chat_completion: expect.anything() }),
    ]);
    expect((await completeChat({ chat: ask(model, "hi") })).completion?.model).toBe(model);
  }
  expect(stage.asked()).toBe(2 * ids.length);
}

async function listAll(service: TestService) {
  return (await service.modelClient("grpc").listModels({ pageSize: 1000 })).models;
}

behaviour(17, async () => {
  expect(new Set(seed000).size).toBe(51);
  await acceptsAll(await startStage(egpBackends), seed000);
});

behaviour(18, async () => {
  expect(new Set(seed001).size).toBe(43);
  await acceptsAll(await startStage(egpBackends), seed001);
});

behaviour(19, async () => {
  const { post, service, asked } = await startStage({ openai: [] });
  // Dragoman serves the second model, but EGP's list does not have it.
  for (const model of ["gpt-9", "openai/gpt-4o"]) {
    const rejected = await post(paths.egpChat, { model, messages: says("hi") });
    expect(rejected).toMatchObject({
      status: 422,
      body: { detail: [{ msg: expect.stringMatching(/^is not one of the 51 values .*; did you mean .*"gpt-4/) }] },
    });
    expect(wrongPlaces(rejected)).toEqual(["body.model"]);
  }
  // Over gRPC the model names are not a closed list, so an unknown name is NotFound.
  expect(await failureOf(service.chatClient("grpc").completeChat({ chat: ask("gpt-9", "hi") }))).toMatchObject({
    code: "NotFound",
    reason: "MODEL_NOT_FOUND",
    message: expect.stringContaining("gpt-9"),
  });
  expect(asked()).toBe(0);
});

behaviour(20, async () => {
  const { post, sent, service, asked } = await startStage({ cerebras: [], openai: [] });
  for (const model of ["llama3.1-8b", "llama3.1-70b"]) {
    expect(await post(paths.cerebras, { model, messages: says("hi") })).toMatchObject({ status: 200, body: { model } });
    expect(sent("cerebras")).toMatchObject({ model });
    const { completion } = await service.chatClient("grpc").completeChat({ chat: ask(model, "hi") });
    expect(completion).toMatchObject({ model, provider: "cerebras" });
  }
  const before = asked();
  expect(await post(paths.cerebras, { model: "gpt-4", messages: says("hi") })).toMatchObject({
    status: 404,
    body: { type: "not_found_error", param: "model", code: "model_not_found" },
  });
  expect(asked()).toBe(before);
});

const unknownModel: Script = {
  status: 404,
  headers: { "content-type": "application/json" },
  steps: [{ write: JSON.stringify({ error: { message: "No such model", code: "model_not_found" } }) }],
};

behaviour(21, async () => {
  const known = await startStage({ deepinfra: [] });
  for (const model of ["meta-llama/Llama-2-70b-chat-hf", "somebody/Their-Model-9B", "bare-name"]) {
    expect(await known.post(paths.deepinfra, { model, messages: says("hi") })).toMatchObject({ status: 200 });
    expect(known.sent("deepinfra")).toMatchObject({ model });
  }
  const chat = ask("meta-llama/Llama-2-70b-chat-hf", "hi");
  const { completion } = await known.service.chatClient("grpc").completeChat({ chat });
  expect(completion).toMatchObject({ model: chat.model, provider: "deepinfra" });

  // Dragoman passes unknown names to DeepInfra, which rejects them.
  const unknown = await startStage({ deepinfra: [unknownModel] });
  const nobody = { model: "nobody/nothing", messages: says("hi") };
  expect(await unknown.post(paths.deepinfra, nobody)).toMatchObject({
    status: 404,
    body: { error: { code: "model_not_found" } },
  });
  const call = unknown.service.chatClient("grpc").completeChat({ chat: ask("deepinfra/nobody/nothing", "hi") });
  expect(await failureOf(call)).toMatchObject({ code: "NotFound", reason: "MODEL_NOT_FOUND" });
});

behaviour(22, async () => {
  const { post, sent, asked } = await startStage(
    { deepinfra: [], openai: [] },
    { deployments: { abc: { model: "gpt-4o" } } },
  );
  const version = "meta-llama/Llama-2-70b-chat-hf:0a1b2c";
  expect(await post(paths.deepinfra, { model: version, messages: says("hi") })).toMatchObject({ status: 200 });
  expect(sent("deepinfra")).toMatchObject({ model: version });

  expect(await post(paths.deepinfra, { model: "deploy_id:abc", messages: says("hi") })).toMatchObject({ status: 200 });
  expect(sent("openai")).toMatchObject({ model: "gpt-4o" });
  // A deployment at DeepInfra, which the configuration does not list.
  expect(await post(paths.deepinfra, { model: "deploy_id:xyz", messages: says("hi") })).toMatchObject({ status: 200 });
  expect(sent("deepinfra")).toMatchObject({ model: "deploy_id:xyz" });
  expect(asked()).toBe(3);
});

behaviour(23, async () => {
  const { service, post, backend } = await startStage(egpBackends);
  const { getModel } = service.modelClient("grpc");
  const cases = [
    ["claude-3-opus-20240229", "anthropic", "anthropic"],
    ["gemini-pro", "google", "gemini"],
    ["mixtral-8x7b-instruct", "llm-engine", "llm-engine"],
    ["gpt-4o", "openai-chat", "openai"],
  ] as const;
  for (const [model, family, provider] of cases) {
    expect((await getModel({ id: model })).model).toMatchObject({ id: model, family });
    await post(paths.egpChat, { model, messages: says("hi") });
    expect(backend(provider).requests).toHaveLength(1);
  }
  const models = await listAll(service);
  expect(models.length).toBeGreaterThan(51);
  for (const { id, family } of models) expect([id, family]).toEqual([id, expect.stringMatching(/^[a-z-]+$/)]);
});

behaviour(24, async () => {
  const { service } = await startStage({ ...egpBackends, cerebras: [], deepinfra: [] });
  const { getModel } = service.modelClient("grpc");
  expect((await getModel({ id: "gpt-4" })).model).toMatchObject({ contextWindowTokens: 8192, maxOutputTokens: 8192 });
  const chatModels = (await listAll(service)).filter((model) => !isEmbeddingModel(model));
  const ofSeeds = chatModels.filter(({ id, provider }) => !id.startsWith(`${provider}/`));
  expect(ofSeeds.map(({ id }) => id)).toEqual(expect.arrayContaining([...seed000, "llama3.1-8b", "llama3.1-70b"]));
  for (const { id, contextWindowTokens: window, maxOutputTokens: output } of ofSeeds) {
    expect([id, window >= output && output > 0]).toEqual([id, true]);
  }
});

behaviour(25, async () => {
  const { service } = await startStage({ mistral: [] });
  const { models } = await service.modelClient("grpc").listModels({ pageSize: 1000, profile: Profile.EGP_CHAT });
  expect(models).toContainEqual(
    expect.objectContaining({
      id: "mistral-large-latest",
      provider: "mistral",
      family: "mistral",
      profile: Profile.EGP_CHAT,
      contextWindowTokens: 262_144,
      maxOutputTokens: 262_144,
      maxTemperature: 1,
      capabilities: expect.objectContaining({ systemMessages: true, tools: true, imageInput: true, logprobs: false }),
    }),
  );
  const page = await fetch(`http://${service.httpAddress}/v1/models`);
  expect(await page.json()).toMatchObject({
    object: "list",
    data: expect.arrayContaining([expect.objectContaining({ id: "mistral-large-latest", owned_by: "mistral" })]),
  });
});

behaviour(26, async () => {
  const file = {
    deployments: {
      base: { model: "llm-engine/some-base-model", completion_only: true, template_family: "none" },
      chat: { model: "llm-engine/llama-3-8b-instruct" },
    },
    providers: { "llm-engine": { options: { api: "v1" } } },
  } as const;
  const { post, sent, service } = await startStage({ "llm-engine": [promptAnswer] }, file);
  const history = [
    { role: "system", content: "be terse" },
    { role: "user", content: "earlier" },
    { role: "assistant", content: "answer" },
  ];
  const body = { prompt: "Once upon a time", chat_history: history };
  expect(await post(paths.egpDeployment("base"), body)).toMatchObject({
    status: 200,
    body: { completions: [["Once upon a time", ["Hello"]]] },
  });
  expect(sent("llm-engine")).toMatchObject({ prompt: "Once upon a time" });

  const { messages } = ask("m", "earlier");
  const chat = ask("deployments/base", "x", { messages: [...messages, ...ask("m", "Once upon a time").messages] });
  const { completion } = await service.chatClient("grpc").completeChat({ chat });
  expect(sent("llm-engine")).toMatchObject({ prompt: "Once upon a time" });
  expect(completion?.warnings).toContainEqual(expect.objectContaining({ field: "messages", reason: "EMULATED" }));

  await post(paths.egpDeployment("chat"), body);
  expect(sent("llm-engine").prompt).toContain("earlier");

  // The same with the echo provider, whose response shows the prompt.
  const echo = await startStage({}, { deployments: { e: { model: "echo/echo", completion_only: true } } });
  expect(await echo.post(paths.egpDeployment("e"), body)).toMatchObject({
    status: 200,
    body: { completions: [["Once upon a time", ["Once upon a time"]]], prompt_tokens: expect.any(Number) },
  });
});
