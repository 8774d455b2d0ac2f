import { expect } from "vitest";
import { behaviour } from "./behaviour.ts";
import { callers, expectRefused, expectWrongFormat, openModel, placesOf } from "./callers.ts";
import { type Family, families, onFamilies, parametersOf } from "./families.ts";
import { missingLocal, startLocal } from "./local.ts";
import { asCerebras, asDeepinfra, asEgpChat, startStage } from "./support.ts";
import { warningsOf } from "./wire.ts";

behaviour(90, async () => {
  const stage = await startStage({ openai: [] }, { deployments: { d1: { model: "gpt-4o" } } });
  const { egpChat, egpDeployment, grpc } = callers(stage);
  const asks = [
    () => egpChat(),
    () => egpChat({ model_parameters: { temperature: null } }),
    () => egpDeployment(),
    () => grpc("gpt-4o", asEgpChat),
    () => grpc("deployments/d1"),
  ];
  for (const ask of asks) {
    await ask();
    expect(stage.sent("openai").temperature).toBe(0.2);
  }
  expect(stage.asked()).toBe(asks.length);
  await egpChat({ model_parameters: { temperature: 0.7 } });
  expect(stage.sent("openai").temperature).toBe(0.7);
  await egpDeployment({ temperature: 0 });
  expect(stage.sent("openai").temperature).toBe(0);
  // The same model without EGP's profile.
  await grpc("openai/gpt-4o");
  expect(stage.sent("openai")).not.toHaveProperty("temperature");
});

behaviour(91, async () => {
  const stage = await startStage({ cerebras: [], deepinfra: [] });
  const { cerebras, deepinfra, grpc } = callers(stage);
  for (const ask of [() => cerebras(), () => cerebras({ temperature: null }), () => grpc("llama3.1-8b", asCerebras)]) {
    await ask();
    expect(stage.sent("cerebras").temperature).toBe(1);
  }
  for (const ask of [() => deepinfra(), () => deepinfra({ temperature: null }), () => grpc(openModel, asDeepinfra)]) {
    await ask();
    expect(stage.sent("deepinfra").temperature).toBe(1);
  }
  await deepinfra({ temperature: 0.3 });
  expect(stage.sent("deepinfra").temperature).toBe(0.3);
});

behaviour(92, async () => {
  const stage = await onFamilies();
  const { egpDeployment, grpc } = callers(stage);
  for (const family of Object.keys(families) as Family[]) {
    // Dragoman sends 0; it does not treat it as unset.
    await egpDeployment({ temperature: 0 }, family);
    expect(parametersOf(stage, family).temperature).toBe(0);
    await grpc(`deployments/${family}`, { parameters: { temperature: 0 } });
    expect(parametersOf(stage, family).temperature).toBe(0);
  }
  if (missingLocal !== undefined) return;
  const askLocal = await startLocal();
  const ask = () => askLocal("Tell me a story.", { temperature: 0, maxOutputTokens: 12 });
  const first = await ask();
  expect(first).not.toBe("");
  expect(await ask()).toBe(first);
});

behaviour(93, async () => {
  const stage = await startStage({ openai: [] });
  const { egpChat, grpc } = callers(stage);
  for (const temperature of [1.2, -0.1]) {
    const reply = await egpChat({ model_parameters: { temperature } });
    expect(placesOf(reply)).toEqual([422, ["body.model_parameters.temperature"]]);
    await expectRefused(grpc("gpt-4o", { ...asEgpChat, parameters: { temperature } }), "parameters.temperature");
  }
  expect(stage.asked()).toBe(0);
  for (const temperature of [0, 1]) {
    await egpChat({ model_parameters: { temperature } });
    expect(stage.sent("openai").temperature).toBe(temperature);
  }
});

behaviour(94, async () => {
  const stage = await startStage({ openai: [] }, { deployments: { d1: { model: "gpt-4o" } } });
  const { egpDeployment, grpc } = callers(stage);
  for (const temperature of [2.1, -0.1]) {
    expect(placesOf(await egpDeployment({ temperature }))).toEqual([422, ["body.temperature"]]);
    await expectRefused(grpc("deployments/d1", { parameters: { temperature } }), "parameters.temperature");
  }
  expect(stage.asked()).toBe(0);
  expect((await egpDeployment({ temperature: 2 })).status).toBe(200);
  expect(stage.sent("openai").temperature).toBe(2);
  await grpc("deployments/d1", { parameters: { temperature: 2 } });
  expect(stage.sent("openai").temperature).toBe(2);
});

behaviour(95, async () => {
  const stage = await onFamilies();
  const { egpDeployment, grpc } = callers(stage);
  const reply = await egpDeployment({ temperature: 1.8 }, "anthropic");
  expect(reply.status).toBe(200);
  expect(stage.sent("anthropic").temperature).toBe(1);
  expect(warningsOf(reply)).toEqual([["ADJUSTED", "temperature"]]);

  const { warnings, effectiveParameters } = await grpc("deployments/anthropic", { parameters: { temperature: 1.8 } });
  expect(stage.sent("anthropic").temperature).toBe(1);
  expect(effectiveParameters?.temperature).toBe(1);
  expect(warnings).toMatchObject([{ reason: "ADJUSTED", field: "parameters.temperature" }]);

  // Dragoman keeps a value below the maximum, and a value that another model allows.
  await egpDeployment({ temperature: 0.9 }, "anthropic");
  expect(stage.sent("anthropic").temperature).toBe(0.9);
  expect(warningsOf(await egpDeployment({ temperature: 1.8 }, "openai"))).toEqual([]);
  expect(stage.sent("openai").temperature).toBe(1.8);
});

behaviour(96, async () => {
  const stage = await startStage({ cerebras: [] });
  const { cerebras, grpc } = callers(stage);
  for (const temperature of [1.6, -0.1]) {
    const reply = await cerebras({ temperature });
    expectWrongFormat(reply, "temperature");
    await expectRefused(grpc("llama3.1-8b", { ...asCerebras, parameters: { temperature } }), "parameters.temperature");
  }
  expect(stage.asked()).toBe(0);
  for (const temperature of [0, 1.5]) {
    expect((await cerebras({ temperature })).status).toBe(200);
    expect(stage.sent("cerebras").temperature).toBe(temperature);
  }
});

behaviour(97, async () => {
  const stage = await startStage({ deepinfra: [] });
  const { deepinfra, grpc } = callers(stage);
  for (const temperature of [2.01, -0.01]) {
    expect(placesOf(await deepinfra({ temperature }))).toEqual([422, ["body.temperature"]]);
    await expectRefused(grpc(openModel, { ...asDeepinfra, parameters: { temperature } }), "parameters.temperature");
  }
  expect(stage.asked()).toBe(0);
  for (const temperature of [0, 2]) {
    expect((await deepinfra({ temperature })).status).toBe(200);
    expect(stage.sent("deepinfra").temperature).toBe(temperature);
  }
});

behaviour(98, async () => {
  const stage = await startStage({ openai: [] });
  const { egpChat, grpc } = callers(stage);
  const reply = await egpChat({ model: "o3-mini", model_parameters: { temperature: 0.9 } });
  expect(reply.status).toBe(200);
  expect(stage.sent("openai")).not.toHaveProperty("temperature");
  expect(warningsOf(reply)).toEqual([["UNSUPPORTED_PARAMETER", "model_parameters.temperature"]]);
  const { warnings } = await grpc("o3-mini", { ...asEgpChat, instructions: "", parameters: { temperature: 0.9 } });
  expect(stage.sent("openai")).not.toHaveProperty("temperature");
  expect(warnings).toMatchObject([{ reason: "UNSUPPORTED_PARAMETER", field: "parameters.temperature" }]);

  // Dropping the default causes no warning, and no error with strict_parameters: the caller did not request it.
  expect(warningsOf(await egpChat({ model: "o3-mini" }))).toEqual([]);
  expect((await grpc("o3-mini", { ...asEgpChat, instructions: "", strictParameters: true })).warnings).toEqual([]);
  expect(stage.sent("openai")).not.toHaveProperty("temperature");
});
