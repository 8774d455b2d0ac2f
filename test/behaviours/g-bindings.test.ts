import { expect } from "vitest";
import { behaviour } from "./behaviour.ts";
import { callers, expectRefused, expectWrongFormat, placesOf } from "./callers.ts";
import { asCerebras, startStage } from "./support.ts";

const tones = {
  d1: {
    model: "gpt-4o",
    parameters: [
      { name: "tone", type: "string", required: false },
      { name: "level", type: "integer", required: false },
      { name: "share", type: "number", required: false },
      { name: "plain", type: "boolean", required: false },
    ],
  },
  strict: { model: "gpt-4o", parameters: [{ name: "tone", type: "string", required: true }] },
};
const bind = (bindings: object) => ({ model_request_parameters: { bindings } });
const places = (name: string) => [422, [`body.model_request_parameters.bindings.${name}`]];

behaviour(114, async () => {
  const stage = await startStage({ openai: [] }, { deployments: tones });
  const { egpDeployment, grpc } = callers(stage);
  for (const value of [{}, { deep: 1 }, ["a"], null]) {
    expect(placesOf(await egpDeployment(bind({ tone: value })))).toEqual(places("tone"));
    const call = grpc("deployments/d1", { deploymentParameters: { tone: value } });
    await expectRefused(call, "deployment_parameters.tone");
  }
  expect(stage.asked()).toBe(0);
  const bindings = { tone: "kind", level: 3, share: 0.5, plain: true };
  expect((await egpDeployment(bind(bindings))).status).toBe(200);
  expect(stage.sent("openai")).toMatchObject(bindings);
  await grpc("deployments/d1", { deploymentParameters: bindings });
  expect(stage.sent("openai")).toMatchObject(bindings);
});

behaviour(115, async () => {
  const stage = await startStage({ openai: [] }, { deployments: tones });
  const { egpDeployment, grpc } = callers(stage);
  expect(placesOf(await egpDeployment(bind({ foo: "x" })))).toEqual(places("foo"));
  await expectRefused(grpc("deployments/d1", { deploymentParameters: { foo: "x" } }), "deployment_parameters.foo");
  expect(placesOf(await egpDeployment({}, "strict"))).toEqual(places("tone"));
  expect(placesOf(await egpDeployment(bind({}), "strict"))).toEqual(places("tone"));
  await expectRefused(grpc("deployments/strict"), "deployment_parameters.tone");
  expect(placesOf(await egpDeployment(bind({ tone: 1 }), "strict"))).toEqual(places("tone"));
  expect(stage.asked()).toBe(0);
  expect((await egpDeployment(bind({ tone: "kind" }), "strict")).status).toBe(200);
  expect(stage.sent("openai").tone).toBe("kind");
});

behaviour(116, async () => {
  const parameters = [{ name: "x", type: "integer", required: false }];
  const stage = await startStage({ cerebras: [] }, { models: { "llama3.1-70b": { parameters } } });
  const { cerebras, grpc } = callers(stage);
  expectWrongFormat(await cerebras({ model_parameters: { x: 1 } }), "model_parameters.x");
  await expectRefused(
    grpc("llama3.1-8b", { ...asCerebras, deploymentParameters: { x: 1 } }),
    "deployment_parameters.x",
  );
  expect(stage.asked()).toBe(0);
  expect((await cerebras({ model: "llama3.1-70b", model_parameters: { x: 1 } })).status).toBe(200);
  expect(stage.sent("cerebras").model_parameters).toEqual({ x: 1 });
});
