import { expect } from "vitest";
import { behaviour } from "./behaviour.ts";
import { callers, expectRefused, expectWrongFormat, openModel, placesOf } from "./callers.ts";
import { called, type Family, families, onFamilies, reaches } from "./families.ts";
import { asCerebras, asDeepinfra, asEgpChat, failureOf, startStage } from "./support.ts";
import { warningsOf } from "./wire.ts";

behaviour(99, async () => {
  const stage = await startStage(
    { openai: [], cerebras: [], deepinfra: [] },
    { deployments: { d1: { model: "gpt-4o" } } },
  );
  const { egpChat, egpDeployment, cerebras, deepinfra, grpc } = callers(stage);
  for (const top_p of [0, 1.01]) {
    expect(placesOf(await egpDeployment({ top_p }))).toEqual([422, ["body.top_p"]]);
    const reply = await egpChat({ model_parameters: { topP: top_p } });
    expect(placesOf(reply)).toEqual([422, ["body.model_parameters.topP"]]);
    expectWrongFormat(await cerebras({ top_p }), "top_p");
    expect(placesOf(await deepinfra({ top_p }))).toEqual([422, ["body.top_p"]]);
    for (const model of ["deployments/d1", "gpt-4o", "llama3.1-8b", openModel]) {
      await expectRefused(grpc(model, { parameters: { topP: top_p } }), "parameters.top_p");
    }
  }
  expect(stage.asked()).toBe(0);
  expect((await egpDeployment({ top_p: 1 })).status).toBe(200);
  expect(stage.sent("openai").top_p).toBe(1);
  expect((await cerebras({ top_p: 1 })).status).toBe(200);
  expect((await deepinfra({ top_p: 0.01 })).status).toBe(200);
  expect(stage.sent("deepinfra").top_p).toBe(0.01);
});

behaviour(100, async () => {
  const stage = await onFamilies();
  const { egpChat, egpDeployment, grpc } = callers(stage);
  const names = called("top_p", "topP");
  const inDeployment = ["openai", "llm-engine", "gemini"] as const;
  await reaches((family) => egpDeployment({ top_p: 0.9 }, family), stage, names, inDeployment, "top_p");
  const inChat = [...inDeployment, "anthropic", "mistral"] as const;
  const chat = (family: Family) => egpChat({ model: families[family], model_parameters: { topP: 0.9 } });
  await reaches(chat, stage, names, inChat, "model_parameters.topP");

  const overGrpc = await grpc("deployments/mistral", { parameters: { topP: 0.9 } });
  expect(overGrpc.warnings[0]).toMatchObject({ reason: "UNSUPPORTED_PARAMETER", field: "parameters.top_p" });
  expect(
    (await grpc("mistral-large-latest", { ...asEgpChat, instructions: "", parameters: { topP: 0.9 } })).warnings,
  ).toMatchObject([{ reason: "PRICE_UNKNOWN" }]);
  expect(stage.sent("mistral").top_p).toBe(0.9);

  // Claude allows only one of top_p and temperature. A caller's top_p replaces the default temperature, but not if
  // Dragoman drops the top_p.
  await chat("anthropic");
  expect(stage.sent("anthropic")).not.toHaveProperty("temperature");
  await egpDeployment({ top_p: 0.9 }, "anthropic");
  expect(stage.sent("anthropic").temperature).toBe(0.2);
});

behaviour(101, async () => {
  const stage = await onFamilies();
  const { egpChat, egpDeployment, grpc } = callers(stage);
  const names = called("top_k", "topK");
  await reaches((family) => egpDeployment({ top_k: 5 }, family), stage, names, ["llm-engine", "gemini"], "top_k");
  const chat = (family: Family) => egpChat({ model: families[family], model_parameters: { topK: 5 } });
  await reaches(chat, stage, names, ["llm-engine", "gemini", "anthropic"], "model_parameters.topK");

  const { warnings } = await grpc("gpt-4o", { ...asEgpChat, instructions: "", parameters: { topK: 5 } });
  expect(warnings).toMatchObject([{ reason: "UNSUPPORTED_PARAMETER", field: "parameters.top_k" }]);
});

behaviour(102, async () => {
  const stage = await startStage({ openai: [] }, { deployments: { d1: { model: "gpt-4o" } } });
  const { egpChat, egpDeployment, grpc } = callers(stage);
  const asks = [
    () => egpChat({ model_parameters: { topK: 5 } }).then(warningsOf),
    () => egpDeployment({ top_k: 5 }).then(warningsOf),
    () =>
      grpc("gpt-4o", { ...asEgpChat, instructions: "", parameters: { topK: 5 } }).then(({ warnings }) =>
        warnings.map(({ field }) => field),
      ),
  ];
  const reports = [
    [["UNSUPPORTED_PARAMETER", "model_parameters.topK"]],
    [["UNSUPPORTED_PARAMETER", "top_k"]],
    ["parameters.top_k"],
  ];
  for (const [index, ask] of asks.entries()) {
    expect(await ask()).toEqual(reports[index]);
    expect(stage.sent("openai")).not.toHaveProperty("top_k");
  }
  const strict = { strictParameters: true };
  expect(
    await failureOf(grpc("gpt-4o", { ...asEgpChat, instructions: "", parameters: { topK: 5 }, ...strict })),
  ).toMatchObject({
    ...{ code: "InvalidArgument", reason: "UNSUPPORTED_PARAMETER", fields: ["chat.parameters.top_k"] },
  });
  expect(stage.asked()).toBe(asks.length);
  expect(
    (await grpc("gpt-4o", { ...asEgpChat, instructions: "", parameters: { topP: 0.5 }, ...strict })).warnings,
  ).toEqual([]);
});

behaviour(103, async () => {
  const stage = await onFamilies();
  const { egpChat, egpDeployment, grpc } = callers(stage);
  const taking = ["openai", "llm-engine"] as const;
  for (const [name, googles] of [
    ["presence_penalty", "presencePenalty"],
    ["frequency_penalty", "frequencyPenalty"],
  ] as const) {
    const names = called(name, googles);
    await reaches((family) => egpDeployment({ [name]: 1 }, family), stage, names, taking, name);
    const chat = (family: Family) => egpChat({ model: families[family], model_parameters: { [name]: 1 } });
    await reaches(chat, stage, names, taking, `model_parameters.${name}`);
  }
  const { warnings } = await grpc("claude-3-haiku-20240307", {
    ...asEgpChat,
    instructions: "",
    parameters: { frequencyPenalty: -1 },
  });
  expect(warnings).toMatchObject([{ reason: "UNSUPPORTED_PARAMETER", field: "parameters.frequency_penalty" }]);
});

behaviour(104, async () => {
  const stage = await startStage({ cerebras: [], deepinfra: [] });
  const { cerebras, deepinfra, grpc } = callers(stage);
  for (const [name, field] of [
    ["presence_penalty", "presencePenalty"],
    ["frequency_penalty", "frequencyPenalty"],
  ] as const) {
    for (const value of [2.5, -2.5]) {
      expectWrongFormat(await cerebras({ [name]: value }), name);
      expect(placesOf(await deepinfra({ [name]: value }))).toEqual([422, [`body.${name}`]]);
      await expectRefused(grpc("llama3.1-8b", { ...asCerebras, parameters: { [field]: value } }), `parameters.${name}`);
    }
    // For all providers a value above 0 means fewer repetitions, so Dragoman keeps the sign.
    for (const value of [2, -2, 0.5]) {
      await cerebras({ [name]: value });
      expect(stage.sent("cerebras")[name]).toBe(value);
      await deepinfra({ [name]: value });
      expect(stage.sent("deepinfra")[name]).toBe(value);
      await grpc(openModel, { ...asDeepinfra, parameters: { [field]: value } });
      expect(stage.sent("deepinfra")[name]).toBe(value);
    }
  }
});

behaviour(105, async () => {
  const stage = await startStage({ deepinfra: [], openai: [] });
  const { deepinfra, grpc } = callers(stage);
  for (const repetition_penalty of [0, 5.1]) {
    expect(placesOf(await deepinfra({ repetition_penalty }))).toEqual([422, ["body.repetition_penalty"]]);
    const parameters = { repetitionPenalty: repetition_penalty };
    await expectRefused(grpc(openModel, { ...asDeepinfra, parameters }), "parameters.repetition_penalty");
  }
  expect(stage.asked()).toBe(0);
  for (const repetition_penalty of [0.01, 5, 1.2]) {
    await deepinfra({ repetition_penalty });
    expect(stage.sent("deepinfra").repetition_penalty).toBe(repetition_penalty);
  }
  await deepinfra();
  expect(stage.sent("deepinfra").repetition_penalty).toBe(1);
  // 1 has no effect, so it needs no warning at a provider without the field; any other value does.
  expect((await grpc("openai/gpt-4o", { parameters: { repetitionPenalty: 1 } })).warnings).toEqual([]);
  expect((await grpc("openai/gpt-4o", { parameters: { repetitionPenalty: 1.2 } })).warnings).toHaveLength(1);
});

behaviour(106, async () => {
  const stage = await startStage({ deepinfra: [], openai: [] });
  const { deepinfra, grpc } = callers(stage);
  for (const min_p of [1.1, -0.1]) {
    expect(placesOf(await deepinfra({ min_p }))).toEqual([422, ["body.min_p"]]);
    await expectRefused(grpc(openModel, { ...asDeepinfra, parameters: { minP: min_p } }), "parameters.min_p");
  }
  expect(stage.asked()).toBe(0);
  for (const min_p of [0, 0.3, 1]) {
    await deepinfra({ min_p });
    expect(stage.sent("deepinfra").min_p).toBe(min_p);
  }
  await deepinfra();
  expect(stage.sent("deepinfra").min_p).toBe(0);
  expect((await grpc("openai/gpt-4o", { parameters: { minP: 0 } })).warnings).toEqual([]);
});

behaviour(107, async () => {
  const stage = await startStage({ deepinfra: [] });
  const { deepinfra, grpc } = callers(stage);
  expect(placesOf(await deepinfra({ top_k: 1000 }))).toEqual([422, ["body.top_k"]]);
  expect(placesOf(await deepinfra({ top_k: 1.5 }))).toEqual([422, ["body.top_k"]]);
  await expectRefused(grpc(openModel, { ...asDeepinfra, parameters: { topK: 1000 } }), "parameters.top_k");
  expect(stage.asked()).toBe(0);
  await deepinfra({ top_k: 999 });
  expect(stage.sent("deepinfra").top_k).toBe(999);
  // DeepInfra disables top_k with 0, whichever way the caller disables it.
  for (const ask of [
    () => deepinfra({ top_k: 0 }),
    () => deepinfra(),
    () => grpc(openModel, { ...asDeepinfra, parameters: { topK: -1 } }),
  ]) {
    await ask();
    expect(stage.sent("deepinfra").top_k).toBe(0);
  }
});
