import { expect } from "vitest";
import type { ChatEvent } from "../../src/chat/stream/events.ts";
import { FinishReason } from "../../src/gen/dragoman/v1/completion_pb.js";
import { ask } from "../support/requests.ts";
import { readEvents } from "../surfaces/harness.ts";
import { behaviour } from "./behaviour.ts";
import { callers, expectRefused, expectWrongFormat, firstOf, openModel, placesOf } from "./callers.ts";
import { asCerebras, asDeepinfra, asEgpChat, paths, says, startStage } from "./support.ts";
import { whole } from "./wire.ts";

const stops = (count: number) => [..."abcdefghijklmnopqrstuvwxyz"].slice(0, count);

behaviour(128, async () => {
  const deployments = { d1: { model: "gpt-4o" } };
  const stage = await startStage({ openai: [], cerebras: [] }, { deployments });
  const { egpChat, egpDeployment, cerebras, grpc } = callers(stage);
  const five = { model_parameters: { stop_sequences: stops(5) } };
  expect(placesOf(await egpChat(five))).toEqual([422, ["body.model_parameters.stop_sequences"]]);
  expect(placesOf(await egpDeployment({ stop_sequences: stops(5) }))).toEqual([422, ["body.stop_sequences"]]);
  expectWrongFormat(await cerebras({ stop: stops(5) }), "stop");
  const parameters = { stopSequences: stops(5) };
  for (const call of [
    () => grpc("gpt-4o", { ...asEgpChat, parameters }),
    () => grpc("deployments/d1", { parameters }),
    () => grpc("llama3.1-8b", { ...asCerebras, parameters }),
  ]) {
    await expectRefused(call(), "parameters.stop_sequences");
  }
  expect(stage.asked()).toBe(0);
  expect((await egpChat({ model_parameters: { stop_sequences: stops(4) } })).status).toBe(200);
  expect(stage.sent("openai").stop).toEqual(stops(4));
  expect((await egpDeployment({ stop_sequences: stops(4) })).status).toBe(200);
  expect((await cerebras({ stop: stops(4) })).status).toBe(200);
  expect(stage.sent("cerebras").stop).toEqual(stops(4));
});

behaviour(129, async () => {
  const stage = await startStage({ deepinfra: [] });
  const { deepinfra, grpc } = callers(stage);
  expect(placesOf(await deepinfra({ stop: stops(17) }))).toEqual([422, ["body.stop"]]);
  await expectRefused(
    grpc(openModel, { ...asDeepinfra, parameters: { stopSequences: stops(17) } }),
    "parameters.stop_sequences",
  );
  expect(stage.asked()).toBe(0);
  expect((await deepinfra({ stop: stops(16) })).status).toBe(200);
  expect(stage.sent("deepinfra").stop).toEqual(stops(16));
  await grpc(openModel, { ...asDeepinfra, parameters: { stopSequences: stops(16) } });
  expect(stage.sent("deepinfra").stop).toEqual(stops(16));
});

behaviour(130, async () => {
  const stage = await startStage({ cerebras: [], deepinfra: [] });
  const { cerebras, deepinfra, grpc } = callers(stage);
  for (const stop of ["END", ["END"]]) {
    await cerebras({ stop });
    expect(stage.sent("cerebras").stop).toEqual(["END"]);
    await deepinfra({ stop });
    expect(stage.sent("deepinfra").stop).toEqual(["END"]);
  }
  await cerebras({ stop: null });
  expect(stage.sent("cerebras")).not.toHaveProperty("stop");
  expectWrongFormat(await cerebras({ stop: 7 }), "stop");
  expect(placesOf(await deepinfra({ stop: 7 }))).toEqual([422, ["body.stop"]]);
  await grpc(openModel, { ...asDeepinfra, parameters: { stopSequences: ["END"] } });
  expect(stage.sent("deepinfra").stop).toEqual(["END"]);
});

behaviour(131, async () => {
  const echo = { provider: "echo", provider_model: "echo" };
  const file = {
    models: { "llama3.1-8b": echo },
    deployments: { d1: { model: "echo/echo" }, real: { model: "gpt-4o" } },
  };
  const stage = await startStage({ openai: [] }, file);
  const { egpDeployment, cerebras } = callers(stage);
  // "aENDb", in deltas that split the stop sequence.
  const prompt = JSON.stringify({ echo: { deltas: ["a", "E", "ND", "b"] } });
  const deployed = { prompt, chat_history: [] as const, stop_sequences: ["END"] };
  const bare = { model: "llama3.1-8b", messages: says(prompt), stop: "END" };
  expect((await egpDeployment(deployed)).body).toMatchObject({
    completions: [[prompt, ["a"]]],
    finish_reason: "stop",
  });
  expect(firstOf(await cerebras(bare))).toEqual({ reason: "stop", text: "a" });
  expect(firstOf(await cerebras({ ...bare, stop: null })).text).toBe("aENDb");

  const { data } = await readEvents(await stage.send(paths.egpDeployment("d1"), { ...deployed, stream: true }));
  const pieces = data.map((text): { completions: [string, [string]][] } => JSON.parse(text));
  expect(pieces.map(({ completions: [pair] }) => pair?.[1][0]).join("")).toBe("a");
  const chunks = (await readEvents(await stage.send(paths.cerebras, { ...bare, stream: true }))).data.slice(0, -1);
  const deltas = chunks.map((text): { choices: { delta: { content?: string } }[] } => JSON.parse(text));
  expect(deltas.map(({ choices }) => choices[0]?.delta.content ?? "").join("")).toBe("a");

  const chat = ask("deployments/d1", prompt, { parameters: { stopSequences: ["END"] } });
  const events: ChatEvent[] = [];
  for await (const { event } of stage.service.chatClient("grpc").streamChat({ chat })) {
    if (event.case !== undefined) events.push(event);
  }
  const said = events.map((event) =>
    event.case === "delta" && event.value.delta.case === "text" ? event.value.delta.value : "",
  );
  expect(said.join("")).toBe("a");

  // Other providers support stop sequences, so Dragoman sends them.
  await egpDeployment({ stop_sequences: ["END"] }, "real");
  expect(stage.sent("openai").stop).toEqual(["END"]);
});

behaviour(132, async () => {
  const deployments = { d1: { model: "gpt-4o" } };
  const stage = await startStage({ openai: [], cerebras: [], deepinfra: [] }, { deployments });
  const { egpDeployment, cerebras, deepinfra, grpc } = callers(stage);
  const empty = await egpDeployment({ stop_sequences: ["a", ""] });
  expect(placesOf(empty)).toEqual([422, ["body.stop_sequences.1"]]);
  for (const [stop, place] of [
    ["", "stop"],
    [[""], "stop.0"],
  ] as const) {
    expectWrongFormat(await cerebras({ stop }), place);
    expect((await deepinfra({ stop })).status).toBe(422);
  }
  for (const model of ["deployments/d1", "llama3.1-8b", openModel]) {
    await expectRefused(grpc(model, { parameters: { stopSequences: [""] } }), "parameters.stop_sequences[0]");
  }
  expect(stage.asked()).toBe(0);
});

behaviour(133, async () => {
  const calls = [{ id: "c1", type: "function", function: { name: "f", arguments: "{}" } }];
  const reasons = ["stop", "length", "tool_calls", "content_filter"] as const;
  const scripts = reasons.map((finish_reason) =>
    whole(finish_reason === "tool_calls" ? { tool_calls: calls } : { content: "x" }, { choice: { finish_reason } }),
  );
  const contract = [FinishReason.STOP, FinishReason.LENGTH, FinishReason.TOOL_CALLS, FinishReason.CONTENT_FILTER];
  const once = await startStage(
    { cerebras: scripts, deepinfra: scripts, openai: scripts },
    { deployments: { d1: { model: "gpt-4o" } } },
  );
  const { cerebras, deepinfra, egpDeployment } = callers(once);
  for (const reason of reasons) {
    expect(firstOf(await cerebras()).reason).toBe(reason);
    expect(firstOf(await deepinfra()).reason).toBe(reason);
    expect((await egpDeployment()).body).toMatchObject({ finish_reason: reason });
  }
  const { grpc } = callers(await startStage({ cerebras: scripts }));
  for (const reason of contract) {
    const { choices } = await grpc("llama3.1-8b", asCerebras);
    expect(choices[0]?.finishReason).toBe(reason);
  }

  // The echo provider ends at the length limit and at a stop sequence.
  const echo = callers(await startStage({}, { models: { "llama3.1-8b": { provider: "echo" } } }));
  const capped = await echo.cerebras({ messages: says("one two three"), max_completion_tokens: 2 });
  expect(firstOf(capped)).toEqual({ reason: "length", text: "one two " });
  const stopped = await echo.cerebras({ messages: says("one two three"), stop: " two" });
  expect(firstOf(stopped)).toEqual({ reason: "stop", text: "one" });
});
