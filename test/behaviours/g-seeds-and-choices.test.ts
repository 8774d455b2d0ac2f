import { expect } from "vitest";
import { seedValue } from "../../src/chat/planning/seed.ts";
import { behaviour } from "./behaviour.ts";
import { callers, expectRefused, expectWrongFormat, openModel, placesOf, turns } from "./callers.ts";
import { missingLocal, startLocal } from "./local.ts";
import { asCerebras, asDeepinfra, startStage } from "./support.ts";
import { whole } from "./wire.ts";

behaviour(108, async () => {
  const stage = await startStage({ cerebras: [], deepinfra: [] });
  const { cerebras, deepinfra, grpc } = callers(stage);
  for (const ask of [
    () => cerebras({ seed: 7 }),
    () => grpc("llama3.1-8b", { ...asCerebras, parameters: { seedValue: { case: "seed", value: 7n } } }),
  ]) {
    const [first, second] = [await ask(), await ask()];
    const [one, other] = stage.backend("cerebras").requests.slice(-2);
    expect(JSON.parse(one?.body ?? "").seed).toBe(7);
    expect(other?.body).toBe(one?.body);
    expect("choices" in second && second.choices).toEqual("choices" in first && first.choices);
  }
  await deepinfra({ seed: 7 });
  expect(stage.sent("deepinfra").seed).toBe(7);
  if (missingLocal !== undefined) return;
  const askLocal = await startLocal();
  const ask = (seed: bigint) =>
    askLocal("Tell me a story.", { temperature: 2, seedValue: { case: "seed", value: seed }, maxOutputTokens: 12 });
  const first = await ask(7n);
  expect(await ask(7n)).toBe(first);
  expect(await ask(8n)).not.toBe(first);
});

behaviour(109, async () => {
  const stage = await startStage({ deepinfra: [] });
  const { deepinfra, grpc } = callers(stage);
  const bounds = ["18446744073709551615", "-9223372036854775808", "0"];
  const lastSeed = () => /"seed":(-?\d+)/.exec(stage.backend("deepinfra").requests.at(-1)?.body ?? "")?.[1];
  for (const seed of bounds) {
    expect((await deepinfra({ seed: JSON.rawJSON(seed) })).status).toBe(200);
    expect(lastSeed()).toBe(seed);
    await grpc(openModel, { parameters: { seedValue: seedValue(BigInt(seed)) } });
    expect(lastSeed()).toBe(seed);
    const chat = { model: openModel, messages: turns("hi"), parameters: { seedValue: seedValue(BigInt(seed)) } };
    await stage.service.chatClient("connect-json").completeChat({ chat });
    expect(lastSeed()).toBe(seed);
  }
  const asked = stage.asked();
  for (const seed of ["18446744073709551616", "-9223372036854775809"]) {
    expect(placesOf(await deepinfra({ seed: JSON.rawJSON(seed) }))).toEqual([422, ["body.seed"]]);
    // A client in another language cannot set such a seed: the fields have 64 bits. JSON can have any number.
    const refused = await stage.post("/dragoman.v1.ChatService/CompleteChat", {
      chat: { model: openModel, messages: [], parameters: { seed } },
    });
    expect(refused).toMatchObject({ status: 400, body: { message: expect.stringContaining("chat.parameters.seed") } });
  }
  expect(placesOf(await deepinfra({ seed: 1.5 }))).toEqual([422, ["body.seed"]]);
  expect(stage.asked()).toBe(asked);
});

behaviour(110, async () => {
  // The backend chooses the seed: Dragoman sends none and does not cache responses.
  const stage = await startStage({ deepinfra: [whole({ content: "heads" }), whole({ content: "tails" })] });
  const { deepinfra } = callers(stage);
  const texts = [await deepinfra(), await deepinfra({ seed: null })].map(
    ({ body }) => (body as { choices: { message: { content: string } }[] }).choices[0]?.message.content,
  );
  expect(texts).toEqual(["heads", "tails"]);
  for (const { body } of stage.backend("deepinfra").requests) expect(JSON.parse(body)).not.toHaveProperty("seed");
  if (missingLocal !== undefined) return;
  const askLocal = await startLocal();
  const ask = () => askLocal("Tell me a story.", { temperature: 2, maxOutputTokens: 32 });
  expect(await ask()).not.toBe(await ask());
});

behaviour(111, async () => {
  const stage = await startStage({ cerebras: [] });
  const { cerebras, grpc } = callers(stage);
  for (const bias of [101, -101]) {
    expectWrongFormat(await cerebras({ logit_bias: { "7": bias } }), "logit_bias.7");
    await expectRefused(
      grpc("llama3.1-8b", { ...asCerebras, parameters: { logitBias: { 7: bias } } }),
      "parameters.logit_bias[7]",
    );
  }
  expectWrongFormat(await cerebras({ logit_bias: { hello: 1 } }), "logit_bias.hello");
  expect(stage.asked()).toBe(0);
  const logit_bias = { "7": 100, "50256": -100 };
  await cerebras({ logit_bias });
  expect(stage.sent("cerebras").logit_bias).toEqual(logit_bias);
  await grpc("llama3.1-8b", { ...asCerebras, parameters: { logitBias: { 7: 100, 50256: -100 } } });
  expect(stage.sent("cerebras").logit_bias).toEqual(logit_bias);
});

behaviour(112, async () => {
  const stage = await startStage({ deepinfra: [] }, { models: { [openModel]: { provider: "echo" } } });
  const { deepinfra, grpc } = callers(stage);
  const { body } = await deepinfra({ n: 3 });
  const { choices } = body as { choices: { index: number; message: { content: string } }[] };
  expect(choices.map(({ index, message }) => [index, message.content])).toEqual([
    [0, "hi"],
    [1, "hi"],
    [2, "hi"],
  ]);
  const completion = await grpc(openModel, { ...asDeepinfra, parameters: { n: 3 } });
  expect(completion.choices.map(({ index }) => index)).toEqual([0, 1, 2]);
  for (const n of [0, 5]) {
    expect(placesOf(await deepinfra({ n }))).toEqual([422, ["body.n"]]);
    await expectRefused(grpc(openModel, { ...asDeepinfra, parameters: { n } }), "parameters.n");
  }
  // DeepInfra supports several choices, so one upstream request has n.
  await deepinfra({ model: "meta-llama/Meta-Llama-3.1-8B-Instruct", n: 4 });
  expect(stage.sent("deepinfra").n).toBe(4);
  expect(stage.asked()).toBe(1);
});

behaviour(113, async () => {
  const stage = await startStage({ cerebras: [] }, { models: { "llama3.1-8b": { provider: "echo" } } });
  const { cerebras, grpc } = callers(stage);
  // The echo provider repeats five words in each choice.
  const messages = [{ role: "user", content: "one two three four five" }];
  const { body } = await cerebras({ n: 2, messages });
  expect(body).toMatchObject({
    choices: [{ index: 0 }, { index: 1 }],
    usage: { prompt_tokens: 5, completion_tokens: 10, total_tokens: 15 },
  });
  expect((await grpc("llama3.1-8b", { ...asCerebras, parameters: { n: 2 } })).usage).toMatchObject({ outputTokens: 2 });

  // Cerebras reports one count for all choices.
  expect(await cerebras({ model: "llama3.1-70b", n: 2 })).toMatchObject({ body: { usage: { completion_tokens: 2 } } });
  expect(stage.sent("cerebras").n).toBe(2);
  expect(stage.asked()).toBe(1);
});
