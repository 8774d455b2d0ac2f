import { expect } from "vitest";
import { FinishReason } from "../../src/gen/dragoman/v1/completion_pb.js";
import { behaviour } from "./behaviour.ts";
import { callers, expectRefused, expectWrongFormat, firstOf, openModel, placesOf, turns, words } from "./callers.ts";
import { asCerebras, asDeepinfra, asEgpChat, failureOf, promptAnswer, says, startStage } from "./support.ts";
import { warningsOf } from "./wire.ts";

/** A text that makes a prompt of 100 tokens, with the seven of the chat format. */
const hundred = words(93);
const llama2 = "meta-llama/Llama-2-70b-chat-hf";

behaviour(117, async () => {
  const stage = await startStage({ openai: [] }, { deployments: { d1: { model: "gpt-4" } } });
  const { egpChat, egpDeployment, grpc } = callers(stage);
  const asks = [
    () => egpChat({ model: "gpt-4", instructions: null, messages: says(hundred) }),
    () =>
      egpChat({ model: "gpt-4", instructions: null, messages: says(hundred), model_parameters: { max_tokens: null } }),
    () => egpDeployment({ prompt: hundred }),
    () => grpc("gpt-4", { ...asEgpChat, instructions: "", messages: turns(hundred) }),
    () => grpc("deployments/d1", { messages: turns(hundred) }),
  ];
  for (const ask of asks) {
    await ask();
    expect(stage.sent("openai").max_completion_tokens).toBe(8092);
  }
  // The model's maximum output is less than the rest of the context window.
  await egpChat({ model: "gpt-4o" });
  expect(stage.sent("openai").max_completion_tokens).toBe(16_384);
  await egpDeployment({ prompt: hundred, max_tokens: 5 });
  expect(stage.sent("openai").max_completion_tokens).toBe(5);
});

behaviour(118, async () => {
  const d1 = { model: "gpt-4", family: "openai-completions", completion_only: true };
  const stage = await startStage({ openai: [] }, { deployments: { d1 } });
  const { egpDeployment, grpc } = callers(stage);
  await egpDeployment({ prompt: hundred });
  expect(stage.sent("openai").max_completion_tokens).toBe(8092);
  await grpc("deployments/d1", { messages: turns(hundred) });
  expect(stage.sent("openai").max_completion_tokens).toBe(8092);
});

behaviour(119, async () => {
  const id = "llama-3-8b-instruct";
  const stage = await startStage({ "llm-engine": [] }, { deployments: { d1: { model: id } } });
  const { egpChat, egpDeployment, grpc } = callers(stage);
  for (const ask of [() => egpDeployment(), () => grpc("deployments/d1")]) {
    await ask();
    expect(stage.sent("llm-engine").max_tokens).toBe(100);
  }
  await egpDeployment({ max_tokens: 7 });
  expect(stage.sent("llm-engine").max_tokens).toBe(7);
  // The chat completions API documents no default: "None (limited by the model's max tokens)".
  for (const ask of [
    () => egpChat({ model: id, instructions: null }),
    () => grpc(id, { ...asEgpChat, instructions: "" }),
  ]) {
    await ask();
    // The window of 8192 less the estimated prompt.
    expect(stage.sent("llm-engine").max_tokens).toBeGreaterThan(8000);
  }

  await expectLlmEngineLimits();

  // The echo provider stops at the requested length.
  const echo = callers(await startStage({}, { deployments: { d1: { model: "echo/echo", family: "llm-engine" } } }));
  const prompt = words(150);
  const long = { completions: [[prompt, [expect.any(String)]]], finish_reason: "length", response_tokens: 100 };
  expect((await echo.egpDeployment({ prompt })).body).toMatchObject(long);
  const completion = await echo.grpc("deployments/d1", { messages: turns(prompt) });
  expect(completion.choices).toMatchObject([{ finishReason: FinishReason.LENGTH }]);
  expect(completion.usage?.outputTokens).toBe(100);
  expect((await echo.egpDeployment({ prompt: words(99) })).body).toMatchObject({ finish_reason: "stop" });
});

/**
 * Expects the output limit without max_tokens of each profile, API version and kind of LLM Engine model: 100 is that of
 * the deployments API alone, and otherwise applies only if v1 requires a limit and the context window is unknown.
 */
async function expectLlmEngineLimits(): Promise<void> {
  const rest = "rest" as const;
  const models = { own: { provider: "llm-engine", provider_model: "mistral-x", context_window: 4096 } };
  for (const api of ["v1", "v2"] as const) {
    const scripts = { "llm-engine": api === "v1" ? [promptAnswer] : [] };
    const deployments = { d1: { model: "llama-3-8b-instruct" }, bare: { model: "llm-engine/qwen-x" } };
    const stage = await startStage(scripts, {
      ...{ deployments, models, providers: { "llm-engine": { options: { api } } } },
    });
    const { egpChat, egpDeployment, grpc } = callers(stage);
    const unknown = api === "v1" ? 100 : undefined;
    const plain = api === "v1" ? rest : undefined;
    for (const [ask, limit, window] of [
      [() => egpChat({ model: "llama-3-8b-instruct", instructions: null }), rest, 8192],
      [() => egpChat({ model: "llama-3-1-8b-instruct", instructions: null }), rest, 131_072],
      [() => egpChat({ model: "phi-3-mini-4k-instruct", instructions: null }), rest, 4096],
      [() => grpc("llm-engine/qwen-x", { ...asEgpChat, instructions: "" }), unknown, 0],
      [() => grpc("own", { ...asEgpChat, instructions: "" }), rest, 4096],
      [() => grpc("llama-3-8b-instruct"), plain, 8192],
      [() => grpc("own"), plain, 4096],
      [() => grpc("llm-engine/qwen-x"), unknown, 0],
      [() => grpc("own", asCerebras), plain, 4096],
      [() => grpc("own", asDeepinfra), plain, 4096],
      [() => egpDeployment(), 100, 0],
      [() => egpDeployment({}, "bare"), 100, 0],
      [() => grpc("deployments/d1"), 100, 0],
      [() => grpc("deployments/d1", { ...asEgpChat, instructions: "" }), rest, 8192],
    ] as const) {
      await ask();
      const { max_tokens, max_new_tokens } = stage.sent("llm-engine");
      const sent = api === "v1" ? max_new_tokens : max_tokens;
      if (limit !== rest) expect(sent).toBe(limit);
      else expect([Number(sent) < window, Number(sent) > window - 200]).toEqual([true, true]);
    }
  }
}

behaviour(120, async () => {
  const deployments = { d1: { model: "claude-3-haiku-20240307" }, long: { model: "claude-sonnet-4-6" } };
  const stage = await startStage({ anthropic: [] }, { deployments });
  const { egpChat, egpDeployment, grpc } = callers(stage);
  for (const [ask, limit] of [
    [() => egpChat({ model: "claude-3-haiku-20240307" }), 4096],
    [() => egpChat({ model: "claude-3-5-sonnet-20241022" }), 8192],
    [() => egpDeployment(), 4096],
    [() => grpc("claude-3-haiku-20240307", asEgpChat), 4096],
    [() => egpDeployment({}, "long"), 10_000],
    [() => grpc("deployments/long"), 10_000],
    [() => egpDeployment({ max_tokens: 12 }, "long"), 12],
  ] as const) {
    await ask();
    expect(stage.sent("anthropic").max_tokens).toBe(limit);
  }
});

behaviour(121, async () => {
  const deployments = { short: { model: "mistral-large-latest", context_window: 4096, max_output_tokens: 4096 } };
  const stage = await startStage({ gemini: [], mistral: [] }, { deployments });
  const { egpChat, egpDeployment, grpc } = callers(stage);
  for (const ask of [() => egpChat({ model: "gemini-1.5-pro-002" }), () => grpc("gemini-1.5-pro-002", asEgpChat)]) {
    await ask();
    expect(stage.sent("gemini").generationConfig).toMatchObject({ maxOutputTokens: 8192 });
  }
  // If a model's output may fill the context window, the limit is what the prompt leaves, or slightly less.
  await egpChat({ model: "mistral-large-latest", messages: says(hundred) });
  const limit = Number(stage.sent("mistral").max_tokens);
  expect(limit).toBeLessThan(262_144 - 100);
  expect(limit).toBeGreaterThan(262_144 - 1000);
  await egpDeployment({ prompt: hundred }, "short");
  expect(Number(stage.sent("mistral").max_tokens)).toBeLessThan(4096 - 93);
  expect(Number(stage.sent("mistral").max_tokens)).toBeGreaterThan(4096 - 400);
});

behaviour(122, async () => {
  const stage = await startStage({ openai: [] }, { deployments: { d1: { model: "gpt-4" } } });
  const { egpChat, egpDeployment, grpc } = callers(stage);
  const egp = { model: "gpt-4", instructions: null, messages: says(hundred) };
  const long = /\b100 tokens\b.*\b8093\b.*\b8192\b/;
  for (const reply of [
    await egpChat({ ...egp, model_parameters: { max_tokens: 8093 } }),
    await egpDeployment({ prompt: hundred, max_tokens: 8093 }),
  ]) {
    expect(reply).toMatchObject({ status: 400, body: { detail: expect.stringMatching(long) } });
  }
  const parameters = { maxOutputTokens: 8093 };
  for (const call of [
    grpc("gpt-4", { ...asEgpChat, instructions: "", messages: turns(hundred), parameters }),
    grpc("deployments/d1", { messages: turns(hundred), parameters }),
  ]) {
    const failure = await failureOf(call);
    expect(failure).toMatchObject({ code: "InvalidArgument", reason: "CONTEXT_LENGTH_EXCEEDED" });
    expect(failure.message).toMatch(long);
  }
  expect(stage.asked()).toBe(0);
  expect((await egpChat({ ...egp, model_parameters: { max_tokens: 8092 } })).status).toBe(200);
  expect(stage.sent("openai").max_completion_tokens).toBe(8092);
});

behaviour(123, async () => {
  // The token count is exact for this model; for DeepInfra's models, it varies with what their templates add.
  const exact = { provider: "openai", provider_model: "gpt-3.5-turbo-0613", family: "deepinfra", profile: "deepinfra" };
  const models = { exact: { ...exact, context_window: 4096, max_output_tokens: 4096 } };
  const stage = await startStage({ deepinfra: [], openai: [] }, { models });
  const { deepinfra, grpc } = callers(stage);
  for (const more of [{ max_tokens: null }, {}]) {
    await deepinfra({ model: openModel, messages: says(hundred), ...more });
    expect(stage.sent("deepinfra").max_tokens).toBe(16_384);
    await deepinfra({ model: "exact", messages: says(hundred), ...more });
    expect(stage.sent("openai").max_completion_tokens).toBe(3996);
    await deepinfra({ model: llama2, messages: says(hundred), ...more });
    expect(Number(stage.sent("deepinfra").max_tokens)).toBeLessThanOrEqual(3996);
    expect(Number(stage.sent("deepinfra").max_tokens)).toBeGreaterThan(3896);
  }
  await grpc("exact", { messages: turns(hundred) });
  expect(stage.sent("openai").max_completion_tokens).toBe(3996);
  await grpc(openModel, { ...asDeepinfra, messages: turns(hundred) });
  expect(stage.sent("deepinfra").max_tokens).toBe(16_384);
});

behaviour(124, async () => {
  const stage = await startStage({ deepinfra: [] });
  const { deepinfra, grpc } = callers(stage);
  for (const max_tokens of [1_000_001, -1]) {
    expect(placesOf(await deepinfra({ max_tokens }))).toEqual([422, ["body.max_tokens"]]);
    const parameters = { maxOutputTokens: max_tokens };
    await expectRefused(grpc(openModel, { ...asDeepinfra, parameters }), "parameters.max_output_tokens");
  }
  expect(stage.asked()).toBe(0);
  expect((await deepinfra({ max_tokens: 1_000_000 })).status).toBe(200);
  await deepinfra({ max_tokens: 1 });
  expect(stage.sent("deepinfra").max_tokens).toBe(1);
  // DeepInfra does not document the meaning of 0, so Dragoman sends it.
  expect((await deepinfra({ max_tokens: 0 })).status).toBe(200);
  expect(stage.sent("deepinfra").max_tokens).toBe(0);
  await grpc(openModel, { ...asDeepinfra, parameters: { maxOutputTokens: 0 } });
  expect(stage.asked()).toBe(4);
  expect(stage.sent("deepinfra").max_tokens).toBe(0);
});

behaviour(125, async () => {
  const stage = await startStage({ deepinfra: [] }, { models: { [openModel]: { provider: "echo" } } });
  const { deepinfra, grpc } = callers(stage);
  const script = JSON.stringify({ echo: { text: "a ", repeat: 20_000 } });
  const reply = await deepinfra({ max_tokens: 50_000, messages: says(script) });
  expect(firstOf(reply).reason).toBe("length");
  expect(reply.body).toMatchObject({ usage: { completion_tokens: 16_384 } });
  expect(warningsOf(reply)).toEqual([["ADJUSTED", "max_tokens"]]);
  const chat = { messages: turns(script), parameters: { maxOutputTokens: 50_000 } };
  const { usage, choices, warnings } = await grpc(openModel, { ...asDeepinfra, ...chat });
  expect([usage?.outputTokens, choices[0]?.finishReason]).toEqual([16_384, FinishReason.LENGTH]);
  expect(warnings).toMatchObject([{ reason: "ADJUSTED", field: "parameters.max_output_tokens" }]);

  await deepinfra({ model: "deepseek-ai/DeepSeek-R1-0528", max_tokens: 50_000 });
  expect(stage.sent("deepinfra").max_tokens).toBe(16_384);
});

behaviour(126, async () => {
  const stage = await startStage({ cerebras: [] }, { models: { "llama3.1-70b": { provider: "echo" } } });
  const { cerebras, grpc } = callers(stage);
  const both = await cerebras({ max_completion_tokens: 5, max_tokens: 6 });
  expectWrongFormat(both, "max_tokens");
  expect(both.body).toMatchObject({ message: expect.stringContaining("max_completion_tokens") });
  expect(stage.asked()).toBe(0);
  for (const more of [{ max_tokens: 5 }, { max_completion_tokens: 5 }, { max_tokens: 5, max_completion_tokens: 5 }]) {
    expect((await cerebras(more)).status).toBe(200);
    expect(stage.sent("cerebras")).toMatchObject({ max_completion_tokens: 5 });
    expect(stage.sent("cerebras")).not.toHaveProperty("max_tokens");
  }
  await grpc("llama3.1-8b", { ...asCerebras, parameters: { maxOutputTokens: 5 } });
  expect(stage.sent("cerebras").max_completion_tokens).toBe(5);

  // Reasoning tokens use up the limit before any text.
  const script = JSON.stringify({ echo: { reasoning: "a b c d", text: "e" } });
  const reply = await cerebras({ model: "llama3.1-70b", max_completion_tokens: 3, messages: says(script) });
  expect(firstOf(reply).reason).toBe("length");
  expect(reply.body).toMatchObject({
    usage: { completion_tokens: 3, completion_tokens_details: { reasoning_tokens: 3 } },
  });
});

behaviour(127, async () => {
  const stage = await startStage({ cerebras: [], "llm-engine": [], openai: [] });
  const { cerebras, grpc } = callers(stage);
  for (const more of [{ min_tokens: 20 }, { min_completion_tokens: 20 }]) {
    expect((await cerebras(more)).status).toBe(200);
    expect(stage.sent("cerebras").min_completion_tokens).toBe(20);
  }
  await grpc("llama3.1-8b", { ...asCerebras, parameters: { minOutputTokens: 20 } });
  expect(stage.sent("cerebras").min_completion_tokens).toBe(20);
  await grpc("llm-engine/llama-3-8b-instruct", { parameters: { minOutputTokens: 20 } });
  expect(stage.sent("llm-engine").min_tokens).toBe(20);

  // -1 means as many as possible: up to the caller's limit, or Cerebras' own.
  await cerebras({ min_completion_tokens: -1, max_completion_tokens: 50 });
  expect(stage.sent("cerebras").min_completion_tokens).toBe(50);
  await cerebras({ min_tokens: -1 });
  expect(stage.sent("cerebras").min_completion_tokens).toBe(-1);
  await cerebras();
  expect(stage.sent("cerebras")).not.toHaveProperty("min_completion_tokens");

  const asked = stage.asked();
  expectWrongFormat(await cerebras({ min_tokens: 20, min_completion_tokens: 21 }), "min_tokens");
  expectWrongFormat(await cerebras({ min_tokens: 20, max_tokens: 19 }), "min_tokens");
  const parameters = { minOutputTokens: 20, maxOutputTokens: 19 };
  await expectRefused(grpc("llama3.1-8b", { ...asCerebras, parameters }), "parameters.min_output_tokens");
  expect(stage.asked()).toBe(asked);
  // A provider without the field causes a warning.
  const { warnings } = await grpc("openai/gpt-4o", { parameters: { minOutputTokens: 20 } });
  expect(warnings).toMatchObject([{ reason: "UNSUPPORTED_PARAMETER", field: "parameters.min_output_tokens" }]);
});
