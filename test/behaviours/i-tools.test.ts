import { expect } from "vitest";
import { FinishReason } from "../../src/gen/dragoman/v1/completion_pb.js";
import { Role } from "../../src/gen/dragoman/v1/message_pb.js";
import { ToolChoiceMode } from "../../src/gen/dragoman/v1/tool_pb.js";
import { ask } from "../support/requests.ts";
import { functionTool } from "../support/tools.ts";
import { behaviour } from "./behaviour.ts";
import { callers, cerebrasModel, expectRefused, expectWrongFormat, openModel, placesOf, turns } from "./callers.ts";
import { paths, type Reply, says, startStage } from "./support.ts";
import { chunksOf, delta, finish, streamed, warningsOf, whole } from "./wire.ts";

const both = () => startStage({ cerebras: [], deepinfra: [] });

const schema = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const weather = { type: "function", function: { name: "weather", description: "Tells it", parameters: schema } };
const time = { type: "function", function: { name: "time" } };
const named = (name: string) => ({ type: "function", function: { name } });

/** The tool `weather` for gRPC. */
const weatherFunction = { name: "weather", description: "Tells it", parametersJsonSchema: JSON.stringify(schema) };
const tool = functionTool(weatherFunction);
const mode = (value: ToolChoiceMode) => ({ choice: { case: "mode", value } }) as const;
const oneTool = (value: string) => ({ choice: { case: "toolName", value } }) as const;

/** A tool call of a model. */
const call = (name: string, args = '{"city":"Oslo"}', id = "call_1") => ({
  id,
  ...{ type: "function", function: { name, arguments: args } },
});
const calling = (...calls: readonly object[]) =>
  whole({ content: null, tool_calls: calls }, { choice: { finish_reason: "tool_calls" } });

interface AnsweredCall {
  readonly id: string;
  readonly type: string;
  readonly function: { readonly name: string; readonly arguments: string };
}
interface Answer {
  readonly choices: readonly {
    readonly finish_reason: string;
    readonly message: { readonly content?: string | null; readonly tool_calls?: readonly AnsweredCall[] };
  }[];
  readonly usage: { readonly prompt_tokens: number };
}
const answerOf = ({ body }: Reply) => body as Answer;
const callsOf = (reply: Reply) => answerOf(reply).choices[0]?.message.tool_calls ?? [];

behaviour(134, async () => {
  const stage = await both();
  const { cerebras, deepinfra, grpc } = callers(stage);
  const tools = [{ ...weather, type: "retrieval" }];
  expectWrongFormat(await cerebras({ tools }), "tools.0.type");
  expect(placesOf(await deepinfra({ tools }))).toEqual([422, ["body.tools.0.type"]]);
  expect(stage.asked()).toBe(0);
  for (const ask of [() => cerebras({ tools: [weather] }), () => grpc(cerebrasModel, { tools: [tool] })]) {
    await ask();
    expect(stage.sent("cerebras").tools).toEqual([weather]);
  }
  // In DeepInfra's API, the tool type has a default.
  await deepinfra({ tools: [{ function: weather.function }] });
  expect(stage.sent("deepinfra").tools).toEqual([weather]);
});

behaviour(135, async () => {
  // Dragoman sends no tool_choice. Both APIs then default to none without tools, and to auto with tools.
  const stage = await both();
  const { cerebras, deepinfra, grpc } = callers(stage);
  for (const tools of [undefined, [weather]]) {
    await cerebras({ tools });
    expect([stage.sent("cerebras").tools, stage.sent("cerebras").tool_choice]).toEqual([tools, undefined]);
    await deepinfra({ tools, tool_choice: null });
    expect([stage.sent("deepinfra").tools, stage.sent("deepinfra").tool_choice]).toEqual([tools, undefined]);
    await grpc(cerebrasModel, { tools: tools ? [tool] : [] });
    expect([stage.sent("cerebras").tools, stage.sent("cerebras").tool_choice]).toEqual([tools, undefined]);
  }
  await cerebras({ tools: [weather], tool_choice: "auto" });
  expect(stage.sent("cerebras").tool_choice).toBe("auto");
});

behaviour(136, async () => {
  const stage = await both();
  const { cerebras, deepinfra, grpc } = callers(stage);
  const asked = { tools: [weather], tool_choice: "none" };
  for (const [name, reply] of [
    ["cerebras", await cerebras(asked)],
    ["deepinfra", await deepinfra(asked)],
  ] as const) {
    expect(stage.sent(name)).toMatchObject(asked);
    expect(answerOf(reply).choices[0]).toMatchObject({ finish_reason: "stop", message: { content: "Hello" } });
    expect(callsOf(reply)).toEqual([]);
  }
  const { choices } = await grpc(openModel, { tools: [tool], toolChoice: mode(ToolChoiceMode.NONE) });
  expect(stage.sent("deepinfra").tool_choice).toBe("none");
  expect(choices[0]?.message?.parts.map(({ kind }) => kind.case)).toEqual(["text"]);
});

behaviour(137, async () => {
  const scripts = [calling(call("weather"))];
  const stage = await startStage({ cerebras: scripts, deepinfra: scripts });
  const { cerebras, deepinfra, grpc } = callers(stage);
  const asked = { tools: [weather, time], tool_choice: "required" };
  for (const [name, reply] of [
    ["cerebras", await cerebras(asked)],
    ["deepinfra", await deepinfra(asked)],
  ] as const) {
    expect(stage.sent(name).tool_choice).toBe("required");
    expect(callsOf(reply).length).toBeGreaterThanOrEqual(1);
  }
  const { choices } = await grpc(cerebrasModel, { tools: [tool], toolChoice: mode(ToolChoiceMode.REQUIRED) });
  expect(stage.sent("cerebras").tool_choice).toBe("required");
  expect(choices[0]?.message?.parts.map(({ kind }) => kind.case)).toEqual(["toolCall"]);
});

behaviour(138, async () => {
  const scripts = [calling(call("time", "{}"))];
  const stage = await startStage({ cerebras: scripts, deepinfra: scripts });
  const { cerebras, deepinfra, grpc } = callers(stage);
  const asked = { tools: [weather, time], tool_choice: named("time") };
  for (const [name, reply] of [
    ["cerebras", await cerebras(asked)],
    ["deepinfra", await deepinfra(asked)],
  ] as const) {
    expect(stage.sent(name).tool_choice).toEqual(named("time"));
    expect(callsOf(reply).map((made) => made.function.name)).toEqual(["time"]);
  }
  const { choices } = await grpc(openModel, {
    tools: [tool, functionTool({ name: "time" })],
    toolChoice: oneTool("time"),
  });
  expect(stage.sent("deepinfra").tool_choice).toEqual(named("time"));
  expect(choices[0]?.message?.parts).toMatchObject([{ kind: { case: "toolCall", value: { name: "time" } } }]);
});

behaviour(139, async () => {
  const stage = await both();
  const { cerebras, deepinfra, grpc } = callers(stage);
  for (const [asked, field, chosen] of [
    [{ tools: [weather], tool_choice: named("time") }, "tool_choice.function.name", oneTool("time")],
    [{ tool_choice: named("weather") }, "tool_choice.function.name", oneTool("weather")],
    [{ tool_choice: "required" }, "tool_choice", mode(ToolChoiceMode.REQUIRED)],
  ] as const) {
    const reply = await cerebras(asked);
    expectWrongFormat(reply, field);
    expect(placesOf(await deepinfra(asked))).toEqual([422, [`body.${field}`]]);
    const tools = "tools" in asked ? [tool] : [];
    const snake = chosen.choice.case === "mode" ? "mode" : "tool_name";
    for (const model of [cerebrasModel, openModel]) {
      await expectRefused(grpc(model, { tools, toolChoice: chosen }), `tool_choice.${snake}`);
    }
  }
  expect(stage.asked()).toBe(0);
  expect((await cerebras({ tool_choice: "none" })).status).toBe(200);
});

behaviour(140, async () => {
  const made = call("weather", '{"city": "Oslo", "days": 2}');
  const scripts = [calling(made)];
  const stage = await startStage({ cerebras: scripts, deepinfra: scripts });
  const { cerebras, deepinfra, grpc } = callers(stage);
  for (const reply of [await cerebras({ tools: [weather] }), await deepinfra({ tools: [weather] })]) {
    expect(answerOf(reply).choices[0]?.finish_reason).toBe("tool_calls");
    expect(callsOf(reply)).toEqual([made]);
    expect(JSON.parse(callsOf(reply)[0]?.function.arguments ?? "")).toEqual({ city: "Oslo", days: 2 });
  }
  const { choices } = await grpc(cerebrasModel, { tools: [tool] });
  expect(choices[0]?.finishReason).toBe(FinishReason.TOOL_CALLS);
  expect(choices[0]?.message?.parts).toMatchObject([
    { kind: { value: { id: "call_1", name: "weather", argumentsJson: '{"city": "Oslo", "days": 2}' } } },
  ]);

  // Streamed: id and name once, then the deltas of the arguments.
  const begin = { index: 0, id: "call_1", type: "function", function: { name: "weather", arguments: "" } };
  const piece = (text: string) => delta({ tool_calls: [{ index: 0, function: { arguments: text } }] });
  const pieces = streamed(
    delta({ role: "assistant", content: null }),
    delta({ tool_calls: [begin] }),
    piece('{"city":'),
    piece('"Oslo"}'),
    finish({}, { finish_reason: "tool_calls" }),
  );
  const streams = await startStage({ cerebras: [pieces], deepinfra: [pieces] });
  for (const [path, model] of [
    [paths.cerebras, cerebrasModel],
    [paths.deepinfra, openModel],
  ] as const) {
    const response = await streams.send(path, { model, messages: says("hi"), tools: [weather], stream: true });
    const chunks = await chunksOf(response);
    const fragments = chunks.flatMap(({ choices: [choice] }) => (choice?.delta.tool_calls ?? []) as AnsweredCall[]);
    expect(fragments.flatMap(({ id }) => id ?? [])).toEqual(["call_1"]);
    expect(fragments[0]).toMatchObject({ type: "function", function: { name: "weather" } });
    expect(fragments.map((fragment) => fragment.function.arguments ?? "").join("")).toBe('{"city":"Oslo"}');
    expect(chunks.flatMap(({ choices: [choice] }) => choice?.finish_reason ?? [])).toEqual(["tool_calls"]);
  }
});

behaviour(141, async () => {
  const stage = await startStage({ cerebras: [calling(call("weather"))], anthropic: [] });
  const { cerebras, grpc } = callers(stage);
  const reply = await cerebras({ tools: [weather], parallel_tool_calls: false });
  expect(stage.sent("cerebras").parallel_tool_calls).toBe(false);
  expect(callsOf(reply)).toHaveLength(1);
  await grpc(cerebrasModel, { tools: [tool], parallelToolCalls: false });
  expect(stage.sent("cerebras").parallel_tool_calls).toBe(false);
  await cerebras({ tools: [weather] });
  expect(stage.sent("cerebras")).not.toHaveProperty("parallel_tool_calls");
  // Anthropic has another field for it.
  await grpc("claude-sonnet-4-6", { tools: [tool], parallelToolCalls: false });
  expect(stage.sent("anthropic").tool_choice).toMatchObject({ disable_parallel_tool_use: true });
});

behaviour(142, async () => {
  // Dragoman reports the provider's count. Without one, it reports its own, which includes the tools.
  const uncounted = whole({ content: "Hello" }, { usage: undefined });
  const counted = whole({ content: "Hello" }, { usage: { prompt_tokens: 77, completion_tokens: 1, total_tokens: 78 } });
  const stage = await startStage({
    cerebras: [uncounted, uncounted, counted],
    deepinfra: [uncounted, uncounted, counted],
  });
  const { cerebras, deepinfra } = callers(stage);
  for (const ask of [cerebras, deepinfra]) {
    const without = answerOf(await ask({ stream: false })).usage.prompt_tokens;
    const among = answerOf(await ask({ tools: [weather] })).usage.prompt_tokens;
    expect(without).toBeGreaterThan(0);
    // The schema alone has more than 20 tokens.
    expect(among).toBeGreaterThan(without + 20);
    expect(answerOf(await ask({ tools: [weather] })).usage.prompt_tokens).toBe(77);
  }
  const client = stage.service.chatClient("grpc");
  const plan = async (tools: readonly (typeof tool)[]) =>
    (await client.planChat({ chat: ask(cerebrasModel, "hi", { tools: [...tools] }) })).inputTokens;
  expect(await plan([tool])).toBeGreaterThan((await plan([])) + 20);
});

behaviour(143, async () => {
  const scripts = [calling(call("weather"))];
  const stage = await startStage({ cerebras: scripts, deepinfra: scripts });
  const { cerebras, deepinfra, grpc } = callers(stage);
  const strict = { type: "function", function: { ...weather.function, strict: true } };
  const reply = await cerebras({ tools: [strict] });
  expect(stage.sent("cerebras").tools).toEqual([strict]);
  expect(JSON.parse(callsOf(reply)[0]?.function.arguments ?? "")).toEqual({ city: expect.any(String) });
  expect(warningsOf(reply)).toEqual([]);
  await grpc(cerebrasModel, { tools: [functionTool({ ...weatherFunction, strict: true })] });
  expect(stage.sent("cerebras").tools).toEqual([strict]);
  // DeepInfra does not support strict tools, so the caller gets a warning.
  expect(warningsOf(await deepinfra({ tools: [strict] }))).toEqual([["ADJUSTED", "tools"]]);
  expect(stage.sent("deepinfra").tools).toEqual([weather]);
});

behaviour(144, async () => {
  const made = call("weather");
  const scripts = [calling(made), whole({ content: "Sunny." })];
  const stage = await startStage({ cerebras: scripts, deepinfra: scripts });
  const { cerebras, deepinfra } = callers(stage);
  const result = { role: "tool", tool_call_id: "call_1", content: '{"sky":"clear"}' };
  for (const [name, ask] of [
    ["cerebras", cerebras],
    ["deepinfra", deepinfra],
  ] as const) {
    const first = answerOf(await ask({ tools: [weather] })).choices[0]?.message;
    const second = await ask({ tools: [weather], messages: [...says("hi"), first, result] });
    expect(answerOf(second).choices[0]).toMatchObject({ finish_reason: "stop", message: { content: "Sunny." } });
    const [question, asked, answered] = stage.sent(name).messages as Record<string, unknown>[];
    expect(question).toEqual(says("hi")[0]);
    expect(asked).toMatchObject({ role: "assistant", tool_calls: [made] });
    expect(answered).toEqual(result);
  }

  const { grpc } = callers(await startStage({ deepinfra: scripts }));
  const message = (await grpc(openModel, { tools: [tool] })).choices[0]?.message;
  if (message === undefined) throw new Error("the response has no message");
  const parts = [{ kind: { case: "text", value: '{"sky":"clear"}' } as const }];
  const told = {
    role: Role.TOOL,
    parts: [{ kind: { case: "toolResult", value: { toolCallId: "call_1", parts } } as const }],
  };
  const { choices } = await grpc(openModel, { tools: [tool], messages: [...turns("hi"), message, told] });
  expect(choices[0]?.finishReason).toBe(FinishReason.STOP);

  // Dragoman rejects a tool result without its tool call.
  const orphan = { ...result, tool_call_id: "call_2" };
  const rejected = await deepinfra({
    messages: [...says("hi"), { role: "assistant", tool_calls: [made] }, orphan, ...says("so?")],
  });
  expect(placesOf(rejected)).toEqual([422, ["body.messages.2.tool_call_id"]]);
});

behaviour(145, async () => {
  const stage = await both();
  const { cerebras, deepinfra, grpc } = callers(stage);
  const reply = await cerebras({ tools: [weather, weather] });
  expectWrongFormat(reply, "tools.1.function.name");
  expect(placesOf(await deepinfra({ tools: [weather, weather] }))).toEqual([422, ["body.tools.1.function.name"]]);
  await expectRefused(grpc(openModel, { tools: [tool, tool] }), "tools[1].function.name");
  expect(stage.asked()).toBe(0);
  expect((await deepinfra({ tools: [weather, time] })).status).toBe(200);
});
