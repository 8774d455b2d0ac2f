import { describe, expect } from "vitest";
import { ask } from "../support/requests.ts";
import { protocols } from "../support/service.ts";
import { functionTool } from "../support/tools.ts";
import { readEvents } from "../surfaces/harness.ts";
import { behaviour } from "./behaviour.ts";
import { type BackendName, paths, says, startStage, wrongPlaces } from "./support.ts";
import { type Chunk, chunksOf, delta, finish, streamed, textOf, whole } from "./wire.ts";

const llama2 = "meta-llama/Llama-2-70b-chat-hf";
const llama31 = "llama3.1-8b";
const deployments = { d1: { model: "llama-3-1-8b-instruct" } };

interface Way {
  readonly path: string;
  readonly provider: BackendName;
  readonly body: Readonly<Record<string, unknown>>;
}

const egpChat: Way = { path: paths.egpChat, provider: "openai", body: { model: "gpt-4o", messages: says("Where?") } };
const egpDeployment: Way = {
  path: paths.egpDeployment("d1"),
  provider: "llm-engine",
  body: { prompt: "Where?", chat_history: [] },
};
const cerebras: Way = {
  path: paths.cerebras,
  provider: "cerebras",
  body: { model: llama31, messages: says("Where?") },
};
const deepinfra: Way = {
  path: paths.deepinfra,
  provider: "deepinfra",
  body: { model: llama2, messages: says("Where?") },
};
const openai: Way = {
  path: paths.openai,
  provider: "openai",
  body: { model: "openai/gpt-4o", messages: says("Where?") },
};

const pieces = ["The ", "capital: ", "Grüße, 世界"];
const text = pieces.join("");
const inPieces = streamed(delta({ role: "assistant" }), ...pieces.map((content) => delta({ content })), finish());

/** Requests a stream. The backend runs `script`. */
async function stream(way: Way, script = inPieces, more: object = {}): Promise<Response> {
  const stage = await startStage({ [way.provider]: [script] }, { deployments });
  const response = await stage.send(way.path, { ...way.body, stream: true, ...more });
  expect(stage.sent(way.provider)).toMatchObject({ stream: true });
  expect([response.status, response.headers.get("content-type")]).toEqual([200, "text/event-stream; charset=utf-8"]);
  return response;
}

/** Reads the events of an EGP stream. */
async function answersOf<Answer>(response: Response): Promise<readonly Answer[]> {
  const { data } = await readEvents(response);
  return data.map((line): Answer => JSON.parse(line));
}

interface ChatAnswer {
  readonly chat_completion: { readonly message: { readonly content: string }; readonly finish_reason: string | null };
  readonly token_usage: { readonly prompt: number; readonly completion: number; readonly total: number } | null;
}

interface DeploymentAnswer {
  readonly completions: readonly (readonly [prompt: string, texts: readonly string[]])[];
  readonly finish_reason: string | null;
  readonly prompt_tokens: number;
  readonly response_tokens: number;
}

const sayOf = ({ completions: [pair] }: DeploymentAnswer): string => pair?.[1].join("") ?? "";

describe("M. Streaming", () => {
  behaviour(176, async () => {
    for (const way of [egpChat, egpDeployment, cerebras, deepinfra, openai]) {
      const stage = await startStage({ [way.provider]: [whole({ content: text })] }, { deployments });
      for (const more of [{}, { stream: false }, { stream: null }]) {
        const { status, headers, body } = await stage.post(way.path, { ...way.body, ...more });
        expect([status, headers.get("content-type")]).toEqual([200, "application/json"]);
        expect(JSON.stringify(body)).toContain(text);
        expect(stage.sent(way.provider)).toMatchObject({ stream: false });
      }
    }
  });

  behaviour(177, async () => {
    const both = [whole({ content: text }), inPieces];
    const start = (way: Way) => startStage({ [way.provider]: both }, { deployments });
    for (const way of [cerebras, deepinfra, openai]) {
      const stage = await start(way);
      const { body } = await stage.post(way.path, way.body);
      expect(body).toMatchObject({ choices: [{ message: { content: text } }] });
      expect(textOf(await chunksOf(await stage.send(way.path, { ...way.body, stream: true })))).toBe(text);
    }
    const chat = await start(egpChat);
    const { body } = await chat.post(egpChat.path, egpChat.body);
    expect(body).toMatchObject({ chat_completion: { message: { content: text } } });
    const answers = await answersOf<ChatAnswer>(await chat.send(egpChat.path, { ...egpChat.body, stream: true }));
    expect(answers.map(({ chat_completion: { message } }) => message.content).join("")).toBe(text);

    const deployment = await start(egpDeployment);
    const { body: one } = await deployment.post(egpDeployment.path, egpDeployment.body);
    expect(one).toMatchObject({ completions: [["Where?", [text]]] });
    const response = await deployment.send(egpDeployment.path, { ...egpDeployment.body, stream: true });
    expect((await answersOf<DeploymentAnswer>(response)).map(sayOf).join("")).toBe(text);

    for (const protocol of protocols) {
      const client = deployment.service.chatClient(protocol);
      const question = ask("echo/echo", text, { parameters: { temperature: 0 } });
      const { completion } = await client.completeChat({ chat: question });
      const deltas: unknown[] = [];
      for await (const { event } of client.streamChat({ chat: question })) {
        if (event.case === "delta") deltas.push(event.value.delta.value);
      }
      expect(deltas.length).toBeGreaterThan(1);
      expect(deltas.join("")).toBe(completion?.choices[0]?.message?.parts[0]?.kind.value);
      expect(deltas.join("")).toBe(text);
    }
  });

  behaviour(178, async () => {
    const answers = await answersOf<ChatAnswer>(await stream(egpChat));
    for (const answer of answers) {
      const { content } = answer.chat_completion.message;
      expect(text).toContain(content);
      expect(answer).toEqual({
        chat_completion: { message: { role: "assistant", content }, finish_reason: expect.toBeOneOf([null, "stop"]) },
        token_usage: expect.toBeOneOf([null, expect.anything()]),
        // Scale's clients read these fields.
        completions: [["", [content]]],
        finish_reason: answer.chat_completion.finish_reason,
        prompt_tokens: answer.token_usage?.prompt ?? 0,
        response_tokens: answer.token_usage?.completion ?? 0,
      });
    }
    expect(answers.at(0)?.chat_completion.message.content).not.toBe("");
    expect(answers.map(({ chat_completion: { message } }) => message.content).join("")).toBe(text);
    const reasons = answers.map(({ chat_completion }) => chat_completion.finish_reason);
    expect(reasons).toEqual([...reasons.slice(1).map(() => null), "stop"]);
  });

  behaviour(179, async () => {
    const usages = (await answersOf<ChatAnswer>(await stream(egpChat))).map(({ token_usage }) => token_usage);
    expect(usages.length).toBeGreaterThan(1);
    expect(usages).toEqual([...usages.slice(1).map(() => null), { prompt: 3, completion: 2, total: 5 }]);
  });

  behaviour(180, async () => {
    const answers = await answersOf<DeploymentAnswer>(await stream(egpDeployment));
    expect(answers.length).toBeGreaterThan(1);
    for (const answer of answers) {
      expect(answer).toMatchObject({
        completions: [[expect.any(String), [expect.any(String)]]],
        prompt_tokens: expect.any(Number),
        response_tokens: expect.any(Number),
      });
    }
    expect(answers[0]?.completions[0]?.[0]).toBe("Where?");
    const counts = answers.map(({ prompt_tokens, response_tokens }) => [prompt_tokens, response_tokens]);
    expect(counts).toEqual([...counts.slice(1).map(() => [0, 0]), [3, 2]]);
    expect(answers.map(({ finish_reason }) => finish_reason).filter((reason) => reason !== null)).toEqual(["stop"]);
    expect(answers.at(-1)?.finish_reason).toBe("stop");
  });

  behaviour(181, async () => {
    for (const way of [cerebras, deepinfra, openai]) {
      const chunks = await chunksOf(await stream(way));
      const choices = chunks.flatMap((one) => one.choices);
      expect(choices[0]?.delta).toMatchObject({ role: "assistant" });
      expect(choices.slice(1).filter((choice) => "role" in choice.delta)).toEqual([]);
      expect(choices.at(-1)).toMatchObject({ delta: {}, finish_reason: "stop" });
      expect(choices.slice(0, -1).filter((choice) => choice.finish_reason)).toEqual([]);
      for (const one of chunks) {
        expect(one).toMatchObject({
          id: chunks[0]?.id,
          object: "chat.completion.chunk",
          created: expect.any(Number),
          model: way.body.model,
        });
      }
    }
  });

  behaviour(182, async () => {
    const tools = ["weather", "time"].map((name) => ({ type: "function", function: { name } }));
    const call = (index: number, called: object, id?: string) => ({
      tool_calls: [{ index, ...(id && { id, type: "function" }), function: called }],
    });
    const script = streamed(
      delta({ role: "assistant", content: null, ...call(0, { name: "weather", arguments: "" }, "c1") }),
      delta(call(0, { arguments: '{"city":' })),
      delta(call(1, { name: "time", arguments: '{"zone"' }, "c2")),
      delta({
        tool_calls: [{ index: 0, function: { arguments: '"Oslo"}' } }, ...call(1, { arguments: ':"CET"}' }).tool_calls],
      }),
      finish({}, { finish_reason: "tool_calls" }),
    );
    const expected = [
      { id: "c1", name: "weather", arguments: { city: "Oslo" } },
      { id: "c2", name: "time", arguments: { zone: "CET" } },
    ];
    for (const { way, model } of [
      { way: cerebras, model: "gpt-oss-120b" },
      { way: deepinfra, model: "meta-llama/Meta-Llama-3.1-8B-Instruct" },
    ]) {
      const chunks = await chunksOf(await stream({ ...way, body: { ...way.body, model, tools } }, script));
      expect(callsIn(chunks)).toEqual(expected);
      expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe("tool_calls");
    }
    const stage = await startStage({ deepinfra: [script] });
    const chat = ask("meta-llama/Meta-Llama-3.1-8B-Instruct", "?", {
      tools: [functionTool({ name: "weather" }), functionTool({ name: "time" })],
    });
    const calls = new Map<number, { id: string; name: string; text: string }>();
    for await (const { event } of stage.service.chatClient("grpc").streamChat({ chat })) {
      if (event.case !== "delta" || event.value.delta.case !== "toolCall") continue;
      const { id, name, argumentsJson } = event.value.delta.value;
      const call = calls.get(event.value.partIndex) ?? { id, name, text: "" };
      calls.set(event.value.partIndex, { ...call, text: call.text + argumentsJson });
    }
    expect([...calls.values()].map(({ id, name, text }) => ({ id, name, arguments: JSON.parse(text) }))).toEqual(
      expected,
    );
  });

  behaviour(183, async () => {
    for (const more of [
      {},
      { stream_options: {} },
      { stream_options: { include_usage: true } },
      { stream_options: null },
    ]) {
      const chunks = await chunksOf(await stream(deepinfra, inPieces, more));
      expect(chunks.slice(0, -1).filter(({ usage }) => usage)).toEqual([]);
      expect(chunks.at(-1)).toMatchObject({
        choices: [{ finish_reason: "stop" }],
        usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
      });
    }
    const without = await chunksOf(await stream(deepinfra, inPieces, { stream_options: { include_usage: false } }));
    expect(without.filter(({ usage }) => usage)).toEqual([]);
    // In the Cerebras API, the default is the same; in the OpenAI API, it is no usage.
    expect((await chunksOf(await stream(cerebras))).filter(({ usage }) => usage)).toHaveLength(1);
    expect((await chunksOf(await stream(openai))).filter(({ usage }) => usage)).toEqual([]);
  });

  behaviour(184, async () => {
    const counted = { prompt_tokens: 9, completion_tokens: 30, total_tokens: 39 };
    const parts = Array.from({ length: 20 }, (_, part) => delta({ content: `${part} ` }));
    const script = streamed(...parts, finish({ usage: counted }));
    const chunks = await chunksOf(
      await stream(deepinfra, script, { stream_options: { continuous_usage_stats: true } }),
    );
    for (const name of ["prompt_tokens", "completion_tokens", "total_tokens"]) {
      const counts = chunks.map(({ usage }) => usage?.[name] ?? Number.NaN);
      expect(counts).toEqual(counts.toSorted((a, b) => a - b));
      expect(counts).not.toContain(Number.NaN);
    }
    expect(chunks.at(-1)?.usage).toMatchObject(counted);
    const off = await chunksOf(await stream(deepinfra, script, { stream_options: { continuous_usage_stats: false } }));
    expect(off.filter(({ usage }) => usage)).toHaveLength(1);
  });

  behaviour(185, async () => {
    const stage = await startStage({ cerebras: [], deepinfra: [] });
    const more = { stream_options: { include_usage: true } };
    for (const stream of [undefined, false, null]) {
      const reply = await stage.post(deepinfra.path, { ...deepinfra.body, ...more, stream });
      expect([reply.status, wrongPlaces(reply)]).toEqual([422, ["body.stream_options"]]);
      expect(await stage.post(cerebras.path, { ...cerebras.body, ...more, stream })).toMatchObject({
        status: 400,
        body: { message: expect.stringContaining("stream_options") },
      });
    }
    expect(stage.asked()).toBe(0);
    expect((await stage.post(deepinfra.path, { ...deepinfra.body, stream_options: null })).status).toBe(200);
  });

  behaviour(186, async () => {
    const times = { queue_time: 0.25, prompt_time: 0.5, completion_time: 1, total_time: 2 };
    const script = streamed(delta({ content: "Oslo" }), finish({ time_info: times }));
    for (const more of [
      {},
      { stream_options: null },
      { stream_options: {} },
      { stream_options: { include_usage: true } },
    ]) {
      const chunks = await chunksOf(await stream(cerebras, script, more));
      expect(chunks.at(-1)).toMatchObject({
        choices: [{ finish_reason: "stop" }],
        usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
        time_info: { ...times, created: expect.any(Number) },
      });
      for (const one of chunks.slice(0, -1)) {
        expect(one).not.toHaveProperty("usage");
        expect(one).not.toHaveProperty("time_info");
      }
    }
    const off = { stream_options: { include_usage: false } };
    const without = (await chunksOf(await stream(cerebras, script, off))).at(-1);
    expect(without).not.toHaveProperty("usage");
    expect(without).not.toHaveProperty("time_info");
  });

  behaviour(187, async () => {
    const say = (content: string, index: number) => delta({ content }, { index });
    const end = (index: number) => finish({}, { index });
    const script = streamed(say("a1 ", 0), say("b1 ", 1), say("a2", 0), say("b2", 1), end(1), end(0));
    const chunks = await chunksOf(await stream(deepinfra, script, { n: 2 }));
    expect([textOf(chunks, 0), textOf(chunks, 1)]).toEqual(["a1 a2", "b1 b2"]);
    const choices = chunks.flatMap((one) => one.choices);
    for (const index of [0, 1]) {
      const own = choices.filter((choice) => choice.index === index);
      expect(own[0]?.delta).toMatchObject({ role: "assistant" });
      expect(own.at(-1)?.finish_reason).toBe("stop");
    }
    expect(new Set(choices.map(({ index }) => index))).toEqual(new Set([0, 1]));
    // One upstream request returns both choices.
    const stage = await startStage({ deepinfra: [script] });
    const byChoice = new Map<number, string>();
    const chat = ask(llama2, "?", { parameters: { n: 2 } });
    for await (const { event } of stage.service.chatClient("grpc").streamChat({ chat })) {
      if (event.case !== "delta") continue;
      const { choiceIndex, delta: said } = event.value;
      byChoice.set(choiceIndex, (byChoice.get(choiceIndex) ?? "") + String(said.value));
    }
    expect(Object.fromEntries(byChoice)).toEqual({ 0: "a1 a2", 1: "b1 b2" });
    expect([stage.asked(), stage.sent("deepinfra").n]).toEqual([1, 2]);
  });

  behaviour(188, async () => {
    for (const way of [cerebras, deepinfra, openai]) {
      const lines = (await (await stream(way)).text()).split("\n").filter((line) => line !== "");
      expect(lines.at(-1)).toBe("data: [DONE]");
      for (const line of lines.slice(0, -1)) expect(JSON.parse(line.replace(/^data: /, ""))).toHaveProperty("choices");
    }
    // Scale's clients parse every event as JSON, so EGP streams do not end with [DONE].
    for (const way of [egpChat, egpDeployment]) {
      const lines = (await (await stream(way)).text()).split("\n").filter((line) => line !== "");
      for (const line of lines) expect(JSON.parse(line.replace(/^data: /, ""))).toBeTypeOf("object");
    }
  });
});

interface Fragment {
  readonly index: number;
  readonly id?: string;
  readonly function: { readonly name?: string; readonly arguments: string };
}

/** Joins the tool call deltas of a stream, as clients do. */
function callsIn(chunks: readonly Chunk[]): readonly object[] {
  const calls = new Map<number, { id: string; name: string; text: string }>();
  for (const { delta: piece } of chunks.flatMap(({ choices }) => choices)) {
    for (const { index, id = "", function: called } of (piece.tool_calls ?? []) as readonly Fragment[]) {
      const call = calls.get(index) ?? { id, name: called.name ?? "", text: "" };
      calls.set(index, { ...call, text: call.text + called.arguments });
    }
  }
  return [...calls.values()].map(({ id, name, text }) => ({ id, name, arguments: JSON.parse(text) }));
}
