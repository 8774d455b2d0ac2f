import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { EventSourceParserStream } from "eventsource-parser/stream";
import { describe, expect } from "vitest";
import { UsageQuality } from "../../src/gen/dragoman/v1/usage_pb.js";
import { openGrpcStream, readMessages } from "../support/raw-stream.ts";
import type { Step } from "../support/replay-upstream.ts";
import { ask } from "../support/requests.ts";
import { behaviour } from "./behaviour.ts";
import { failureOf, paths, type Stage, says, startStage } from "./support.ts";
import { chunk, delta, finish, replies } from "./wire.ts";

const llama2 = "meta-llama/Llama-2-70b-chat-hf";
const llama31 = "llama3.1-8b";
const deployments = { d1: { model: "llama-3-1-8b-instruct" } };
const never = new Promise<never>(() => {});
const prompt = { prompt: "Where?", chat_history: [], stream: true };
const question = { messages: says("Where?"), stream: true };

const piece = (content: string): Step => ({ write: chunk(delta({ content })) });

/** Yields the events of a stream as they arrive. */
async function* eventsOf({ body }: Response): AsyncGenerator<Record<string, unknown>> {
  if (body === null) throw new Error("the response has no body");
  const events = body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
  for await (const { data } of events) yield JSON.parse(data);
}

/** Returns the text of a stream event. */
function textIn(event: Record<string, unknown>): string {
  const { choices, completions } = event as {
    choices?: readonly { delta?: { content?: string | null } }[];
    completions?: readonly (readonly [string, readonly string[]])[];
  };
  return choices?.[0]?.delta?.content ?? completions?.[0]?.[1].join("") ?? "";
}

describe("M. How streams end", { timeout: 60_000 }, () => {
  behaviour(189, async () => {
    const busy = replies(503, { error: { message: "busy" } });
    const stage = await startStage({ "llm-engine": [busy], cerebras: [busy], deepinfra: [busy] }, { deployments });
    const missing = await stage.post(paths.egpDeployment("nope"), prompt);
    expect([missing.status, missing.headers.get("content-type")]).toEqual([404, "application/json"]);
    expect(stage.asked()).toBe(0);
    for (const [path, body] of [
      [paths.egpDeployment("d1"), prompt],
      [paths.cerebras, { ...question, model: llama31 }],
      [paths.deepinfra, { ...question, model: llama2 }],
    ] as const) {
      const reply = await stage.post(path, body);
      expect([reply.status, reply.headers.get("content-type")]).toEqual([503, "application/json"]);
    }
    const events: unknown[] = [];
    const read = async (model: string) => {
      for await (const { event } of stage.service.chatClient("grpc").streamChat({ chat: ask(model, "?") })) {
        events.push(event.case);
      }
    };
    expect(await failureOf(read("deployments/nope"))).toMatchObject({ code: "NotFound", reason: "MODEL_NOT_FOUND" });
    expect(await failureOf(read("deployments/d1"))).toMatchObject({ code: "Unavailable" });
    expect(events).toEqual([]);

    // The backend has started its stream, but has sent no output.
    const empty = { steps: [{ write: chunk(delta({ role: "assistant" })) }, { cut: true } as const] };
    const cut = await startStage({ cerebras: [empty] });
    expect((await cut.post(paths.cerebras, { ...question, model: llama31 })).status).toBe(503);
  });

  behaviour(190, async () => {
    // The backend sends each delta after the test has read the one before it.
    for (const [provider, path, body, failure] of [
      [
        "cerebras",
        paths.cerebras,
        { ...question, model: llama31 },
        { status_code: 503, error: { code: expect.anything() } },
      ],
      ["deepinfra", paths.deepinfra, { ...question, model: llama2 }, { error: { message: expect.any(String) } }],
      ["llm-engine", paths.egpDeployment("d1"), prompt, { error: { status_code: 500 } }],
    ] as const) {
      const read = [0, 1, 2].map(() => Promise.withResolvers<void>());
      const steps = read.flatMap(({ promise }, token) => [piece(`${token} `), { hold: promise }]);
      const stage = await startStage({ [provider]: [{ steps: [...steps, { cut: true }] }] }, { deployments });
      const response = await stage.send(path, body);
      const said: string[] = [];
      const rest: unknown[] = [];
      for await (const event of eventsOf(response)) {
        const text = textIn(event);
        if (text === "") rest.push(event);
        else read[said.push(text) - 1]?.resolve();
      }
      expect([response.status, said]).toEqual([200, ["0 ", "1 ", "2 "]]);
      expect(rest.at(-1)).toMatchObject(failure);
      expect(await stage.service.nextRecord()).toMatchObject({ reason: "PROVIDER_STREAM_INTERRUPTED" });
    }
    const echo = { deltas: ["a", "b", "c", "d"], fail: { after: 3, reason: "PROVIDER_STREAM_INTERRUPTED" } };
    const stage = await startStage();
    const said: unknown[] = [];
    const read = async () => {
      const chat = ask("echo/echo", "?", { providerOptions: { echo } });
      for await (const { event } of stage.service.chatClient("grpc").streamChat({ chat })) {
        said.push(event.case === "delta" ? event.value.delta.value : event.case);
      }
    };
    expect(await failureOf(read())).toMatchObject({ code: "Unavailable", reason: "PROVIDER_STREAM_INTERRUPTED" });
    expect(said).toEqual(["started", "a", "b", "c"]);
  });

  behaviour(191, async () => {
    const stuck = { steps: [piece("some words that came "), { hold: never }] };
    const scripts = { cerebras: [stuck], deepinfra: [stuck], "llm-engine": [stuck] };
    const stage = await startStage(scripts, { deployments });
    for (const [provider, path, body] of [
      ["cerebras", paths.cerebras, { ...question, model: llama31 }],
      ["deepinfra", paths.deepinfra, { ...question, model: llama2 }],
      ["llm-engine", paths.egpDeployment("d1"), prompt],
    ] as const) {
      const arrived = stage.backend(provider).nextRequest();
      const response = await stage.send(path, body);
      // Leaving the loop cancels the response.
      for await (const event of eventsOf(response)) if (textIn(event) !== "") break;
      // test/server/cancel.test.ts measures the delay.
      await (await arrived).aborted;
      await expectPartial(stage);
    }
    const arrived = stage.backend("deepinfra").nextRequest();
    const controller = new AbortController();
    const options = { signal: controller.signal };
    const read = async () => {
      const stream = stage.service.chatClient("grpc").streamChat({ chat: ask(llama2, "Where?") }, options);
      for await (const { event } of stream) if (event.case === "delta") controller.abort();
    };
    expect(await failureOf(read())).toMatchObject({ code: "Canceled" });
    await (await arrived).aborted;
    await expectPartial(stage);
  });

  behaviour(192, async () => {
    const silent = { holdHeaders: never };
    const stage = await startStage({ deepinfra: [silent], cerebras: [silent] });
    // Sets the header directly: with `timeoutMs`, the client's own timer could end the call first.
    const options = { headers: { "grpc-timeout": "500m" } };
    for (const streamed of [false, true]) {
      const arrived = stage.backend("deepinfra").nextRequest();
      const client = stage.service.chatClient("grpc");
      const chat = ask(llama2, "Where?");
      const read = async () => {
        if (!streamed) return client.completeChat({ chat }, options);
        for await (const _ of client.streamChat({ chat }, options));
      };
      const failing = failureOf(read());
      await (await arrived).aborted;
      expect(await failing).toMatchObject({ code: "DeadlineExceeded" });
      expect(await stage.service.nextRecord()).toMatchObject({
        outcome: "deadline_exceeded",
        reason: "DEADLINE_EXCEEDED",
      });
    }
    // An HTTP request sets no deadline, so max_call_duration applies.
    const limits = { max_call_duration: "500ms" };
    const limited = await startStage({ cerebras: [silent] }, { limits });
    const arrived = limited.backend("cerebras").nextRequest();
    const replying = limited.post(paths.cerebras, { messages: says("?"), model: llama31 });
    await (await arrived).aborted;
    expect((await replying).status).toBe(408);
  });

  behaviour(193, async () => {
    const script = () => ({ steps: [{ flood: countedPieces() }, { write: chunk(finish()) }] });
    const stage = await startStage({ deepinfra: [script(), script()] });
    const upstream = stage.backend("deepinfra");

    const stream = await openGrpcStream(stage.service.grpcAddress, ask(llama2, "flood"));
    await expectPaused(stage, () => upstream.floodedBytes);
    let next = 0;
    for await (const { event } of readMessages(stream)) {
      if (event.case !== "delta") continue;
      expect(Number.parseInt(String(event.value.delta.value), 10)).toBe(next++);
    }
    expect(next).toBe(pieces);

    const before = upstream.floodedBytes;
    const response = await openSurfaceStream(stage, { ...question, messages: says("flood"), model: llama2 });
    await expectPaused(stage, () => upstream.floodedBytes - before);
    let text = "";
    for await (const bytes of response.setEncoding("utf8")) text += String(bytes).replaceAll(/x{2,}/g, "");
    const events = text.split("\n").filter((line) => line.startsWith("data: {"));
    const said = events.map((line) => textIn(JSON.parse(line.slice(6)))).join("");
    expect(said.match(/\d+/g)?.map(Number)).toEqual(Array.from({ length: pieces }, (_, index) => index));
  });
});

async function expectPartial({ service }: Stage): Promise<void> {
  const record = await service.nextRecord();
  expect(record).toMatchObject({ outcome: "cancelled", usage: { quality: UsageQuality.PARTIAL } });
  expect(record.usage?.outputTokens).toBeGreaterThan(0);
}

const pieces = 10_000;
const pieceBytes = 6_000;

/** Maximum number of bytes in socket and stream buffers between the backend and a client that does not read. */
const bufferBytes = 24 * 2 ** 20;

/** Makes a generator of numbered chunks, each padded to `pieceBytes`. */
function countedPieces(): () => Uint8Array {
  let next = 0;
  return () => {
    if (next === pieces) return new Uint8Array();
    return Buffer.from(chunk(delta({ content: `${next++} `.padEnd(pieceBytes, "x") })));
  };
}

/** Expects that the backend has stopped sending, long before its end. */
async function expectPaused({ service }: Stage, flooded: () => number): Promise<void> {
  const otherTraffic = async () => {
    const client = service.chatClient("grpc");
    for (let call = 0; call < 60; call++) await client.completeChat({ chat: ask("echo/echo", "hi") });
  };
  await otherTraffic();
  const waiting = flooded();
  await otherTraffic();
  expect(flooded()).toBe(waiting);
  expect(waiting).toBeLessThan(bufferBytes);
}

/** Opens a stream over HTTP and does not read it yet. */
async function openSurfaceStream({ service }: Stage, body: object): Promise<IncomingMessage> {
  const request = httpRequest(`http://${service.httpAddress}${paths.deepinfra}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
  });
  request.end(JSON.stringify(body));
  const [response]: IncomingMessage[] = await once(request, "response");
  if (response === undefined) throw new Error("the response event has no response");
  return response.pause();
}
