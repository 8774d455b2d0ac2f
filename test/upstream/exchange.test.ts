import { create } from "@bufbuild/protobuf";
import { afterEach, describe, expect, it } from "vitest";
import { type ChatEvent, started, textDelta } from "../../src/chat/stream/events.ts";
import { GatewayError } from "../../src/errors.ts";
import { AttemptSchema } from "../../src/gen/dragoman/v1/attempt_pb.js";
import type { AdapterContext } from "../../src/providers/adapter.ts";
import { type Exchange, exchange } from "../../src/upstream/exchange.ts";
import { Upstream } from "../../src/upstream/http.ts";
import type { ServerSentEvent } from "../../src/upstream/sse.ts";
import type { UpstreamCall } from "../../src/upstream/upstream-call.ts";
import { eventDecoder } from "../../src/upstream/whole-body.ts";
import { settings } from "../providers/chat-completions/harness.ts";
import { type Script, startReplayUpstream } from "../support/replay-upstream.ts";

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const resource of open.splice(0)) await resource[Symbol.asyncDispose]();
});

const context = (): AdapterContext => ({
  signal: new AbortController().signal,
  holder: "account:a",
  attempt: create(AttemptSchema, { provider: "any" }),
  queue: { waitsFor: undefined },
});

/** A provider API whose events are single words; `.` ends the response, and `!` is an invalid event. */
const inWords = (call: UpstreamCall): Exchange<undefined, ServerSentEvent, ChatEvent> => ({
  path: "/words",
  headers: { "x-own": "1" },
  body: "{}",
  accepted: [started()],
  failure: async ({ status }) => new GatewayError("PROVIDER_FAULT", `the answer was ${status}`),
  read: (response) => ({
    decoder: eventDecoder(response, call),
    answer: undefined,
    toEvents(_, { data }, batch) {
      if (data === "!") throw new GatewayError("PROVIDER_FAULT", "no word");
      if (data !== ".") batch.push(textDelta(0, 0, data));
      return data === ".";
    },
    endEvents: (_, batch) => void batch.push(textDelta(0, 0, "(end)")),
  }),
});

async function start(...scripts: readonly Script[]) {
  const replay = await startReplayUpstream(...scripts);
  const upstream = new Upstream(settings(replay.baseUrl), { requestId: ["x-id"], limitPrefixes: ["x-limit-"] });
  open.push({ [Symbol.asyncDispose]: () => upstream.close() }, replay);
  return { replay, upstream };
}

const words = (events: readonly ChatEvent[]) =>
  events.map(({ case: kind, value }) => (kind === "delta" && value.delta.case === "text" ? value.delta.value : kind));

async function all(batches: AsyncIterable<readonly ChatEvent[]>): Promise<readonly string[]> {
  const events: ChatEvent[] = [];
  for await (const batch of batches) events.push(...batch);
  return words(events);
}

describe("an exchange with a provider", () => {
  it("sends the request on the first pull and yields `accepted` first", async () => {
    const { replay, upstream } = await start({ steps: [{ write: "data: a\n\ndata: b\n\ndata: .\n\n" }] });
    let prepared = false;
    const batches = exchange(upstream, context(), async (call) => {
      prepared = true;
      return inWords(call);
    });
    expect(prepared).toBe(false);
    expect(await all(batches)).toEqual(["started", "a", "b", "(end)"]);
    expect(replay.requests).toMatchObject([{ path: "/words", body: "{}", headers: { "x-own": "1" } }]);
  });

  it("ends with the body if there is no final event", async () => {
    const { upstream } = await start({ steps: [{ write: "data: a\n\n" }] });
    expect(await all(exchange(upstream, context(), inWords))).toEqual(["started", "a", "(end)"]);
  });

  it("yields a JSON response as one batch", async () => {
    const headers = { "content-type": "application/json; charset=utf-8" };
    const { upstream } = await start({ headers, steps: [{ write: "wh" }, { write: "ole" }] });
    const batches: (readonly string[])[] = [];
    for await (const batch of exchange(upstream, context(), inWords)) batches.push(words(batch));
    expect(batches).toEqual([["started", "whole", "(end)"]]);
  });

  it("throws the error of an unsuccessful response before any output", async () => {
    const { upstream } = await start({ status: 503 });
    const batches = exchange(upstream, context(), inWords);
    await expect(batches.next()).rejects.toThrow("the answer was 503");
  });

  it("yields outputs that precede an error in the same read", async () => {
    const { upstream } = await start({ steps: [{ write: "data: a\n\ndata: !\n\ndata: b\n\n" }] });
    const batches = exchange(upstream, context(), inWords);
    expect(words((await batches.next()).value ?? [])).toEqual(["started"]);
    expect(words((await batches.next()).value ?? [])).toEqual(["a"]);
    await expect(batches.next()).rejects.toThrow("no word");
  });

  it("does not yield `accepted` if a JSON response is an error", async () => {
    const headers = { "content-type": "application/json" };
    const { upstream } = await start({ headers, steps: [{ write: "!" }] });
    await expect(exchange(upstream, context(), inWords).next()).rejects.toThrow("no word");
  });

  it("yields the outputs of an unsuccessful response", async () => {
    const { upstream } = await start({ status: 400 });
    const batches = exchange(upstream, context(), (call) => ({
      ...inWords(call),
      failure: async () => [textDelta(0, 0, "filtered")],
    }));
    expect(await all(batches)).toEqual(["filtered"]);
  });

  it("records request id and rate limits from the provider's headers", async () => {
    const headers = { "x-id": "7", "x-limit-left": "3", "x-request-id": "other" };
    const { upstream } = await start({ headers, steps: [{ write: "data: .\n\n" }] });
    const attemptContext = context();
    await all(exchange(upstream, attemptContext, inWords));
    expect(attemptContext.attempt).toMatchObject({ providerRequestId: "7", providerLimits: { "x-limit-left": "3" } });
  });

  it("reuses the connection after the last event", async () => {
    const { replay, upstream } = await start({ steps: [{ write: "data: a\n\ndata: .\n\n" }] });
    for (let time = 0; time < 20; time++) await all(exchange(upstream, context(), inWords));
    expect(replay.requests).toHaveLength(20);
    // A request that starts before the previous body has ended opens a second connection.
    expect(replay.connections).toBeLessThanOrEqual(2);
  });

  it("closes the connection if the consumer stops early", async () => {
    const { replay, upstream } = await start({ steps: [{ write: "data: a\n\n" }, { hold: new Promise(() => {}) }] });
    const arrived = replay.nextRequest();
    for await (const batch of exchange(upstream, context(), inWords)) if (words(batch).includes("a")) break;
    await (await arrived).aborted;
  });
});
