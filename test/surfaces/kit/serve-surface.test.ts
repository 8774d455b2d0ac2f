import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { describe, expect, it, vi } from "vitest";
import { egpChatSurface } from "../../../src/surfaces/egp-chat/chat.ts";
import { SilenceTimer } from "../../../src/surfaces/kit/silence-timer.ts";
import type { ChatSurface } from "../../../src/surfaces/kit/surface.ts";
import { placesOf, refusal, streamFailure } from "../egp-schemas.ts";
import { noModels, readEvents, startSurface } from "../harness.ts";

const echoed = { yaml: "models: {gpt-4o: {provider: echo, provider_model: echo}}" };
const ask = (content: string, more: object = {}) => ({
  model: "gpt-4o",
  messages: [{ role: "user", content }],
  ...more,
});
const script = (steps: object): string => JSON.stringify({ echo: steps });

/** Scale EGP chat completions API with replaced functions, which fail. */
function faulty(faults: Partial<ReturnType<ChatSurface["translate"]>>, more: Partial<ChatSurface> = {}): ChatSurface {
  return {
    ...egpChatSurface,
    translate: (body, request) => ({ ...egpChatSurface.translate(body, request), ...faults }),
    ...more,
  };
}

function fail(): never {
  throw new Error("a bug in the translator");
}

describe("request bodies", () => {
  it.each([
    ["gzip", gzipSync],
    ["deflate", deflateSync],
    ["br", brotliCompressSync],
  ])("decompresses a %s body", async (encoding, compress) => {
    const surface = await startSurface(egpChatSurface, echoed);
    const body = new Uint8Array(compress(JSON.stringify(ask("hello"))));
    const response = await surface.post(body, { headers: { "content-encoding": encoding } });
    expect(response.status).toBe(200);
  });

  it.each<[string, string | Uint8Array, Record<string, string>, number]>([
    ["invalid JSON", "{", {}, 422],
    ["an empty body", "", {}, 422],
    ["a JSON array", "[]", {}, 422],
    ["invalid UTF-8", Uint8Array.of(0x22, 0xff, 0x22), {}, 422],
    ["invalid gzip data", "{}", { "content-encoding": "gzip" }, 422],
    ["an unknown encoding", "{}", { "content-encoding": "compress" }, 415],
  ])("rejects and records %s, and keeps the connection open", async (_name, body, headers, status) => {
    const surface = await startSurface(egpChatSurface, echoed);
    const response = await surface.post(body, { headers });
    expect(response.status).toBe(status);
    expect(response.headers.get("connection")).toBe("keep-alive");
    const places = await placesOf(response);
    expect(places).toEqual(status === 422 ? ["body"] : []);
    expect(response.headers.get("x-request-id")).toBe(surface.records[0]?.requestId);
    expect(surface.records).toMatchObject([{ method: "egp-chat", protocol: "http", outcome: "refused" }]);
  });

  it.each([
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    undefined,
  ])("rejects the content type %s, which browsers send without preflight", async (type) => {
    const surface = await startSurface(egpChatSurface, echoed);
    const response = await fetch(`${surface.url}${egpChatSurface.path}`, {
      method: "POST",
      headers: { ...(type && { "content-type": type }) },
      // Bytes, since fetch sets a content type for a string.
      body: new TextEncoder().encode(JSON.stringify(ask("hello"))),
    });
    expect(response.status).toBe(415);
    expect(refusal.parse(await response.json()).detail).toMatch("send content-type: application/json");
    expect(surface.records).toMatchObject([{ reason: "UNSUPPORTED_ENCODING" }]);
  });

  it.each(["Application/JSON; charset=utf-8", "application/vnd.api+json"])("accepts content type %s", async (type) => {
    const surface = await startSurface(egpChatSurface, echoed);
    expect((await surface.post(ask("hello"), { headers: { "content-type": type } })).status).toBe(200);
  });

  it.each([
    ["plain", (text: string) => Buffer.from(text)],
    ["decompressed", (text: string) => gzipSync(text)],
  ])("rejects a body that is too large when %s, before its end", async (name, pack) => {
    const surface = await startSurface(egpChatSurface, { ...echoed, maxRequestBytes: 1000 });
    const body = pack(JSON.stringify(ask("x".repeat(300_000))));
    const headers = { "content-type": "application/json", ...(name !== "plain" && { "content-encoding": "gzip" }) };
    // The client never sends the last byte.
    const request = httpRequest(`${surface.url}${egpChatSurface.path}`, {
      method: "POST",
      headers: { "content-length": String(body.length), ...headers },
    });
    request.on("error", () => {});
    request.write(body.subarray(0, -1));
    const [response]: IncomingMessage[] = await once(request, "response");
    expect(response?.statusCode).toBe(413);
    request.destroy();
    expect(surface.records).toMatchObject([{ reason: "REQUEST_TOO_LARGE" }]);
  });

  it("records a call as cancelled if the client disconnects while sending the body", async () => {
    const surface = await startSurface(egpChatSurface, echoed);
    const record = surface.nextRecord();
    const request = httpRequest(`${surface.url}${egpChatSurface.path}`, {
      method: "POST",
      headers: { "content-type": "application/json", "content-length": "9" },
    });
    request.on("error", () => {});
    await new Promise((resolve) => request.write("{", resolve));
    request.destroy();
    expect(await record).toMatchObject({ outcome: "cancelled", reason: "CANCELLED" });
  });
});

const circle: { self?: object } = {};
circle.self = circle;

describe("a bug in a translator", () => {
  it.each<[string, ChatSurface, object]>([
    ["a request translator", { ...egpChatSurface, translate: fail }, {}],
    ["a response translator", faulty({ toResponse: fail }), {}],
    ["a response that JSON cannot hold", faulty({ toResponse: () => circle }), {}],
    ["a stream translator", faulty({ createStream: () => fail }), { stream: true }],
  ])("responds to a bug in %s with an INTERNAL error without details", async (_name, broken, more) => {
    const surface = await startSurface(broken, echoed);
    const response = await surface.post(ask("hello", more));
    expect(response.status).toBe(500);
    expect(refusal.parse(await response.json()).detail).toMatch(/^an internal error occurred/);
    expect(surface.records).toMatchObject([{ reason: "INTERNAL" }]);
    expect(surface.faults).toHaveLength(1);
  });

  it("ends a started stream with an error event if its translator fails", async () => {
    const createStream = () => {
      const translate = egpChatSurface
        .translate(ask("x"), { parameters: {}, headers: new Headers(), catalog: noModels })
        .createStream();
      return (event: Parameters<typeof translate>[0], id: string) =>
        event.case === "completed" ? fail() : translate(event, id);
    };
    const surface = await startSurface(faulty({ createStream }), echoed);
    const { data } = await readEvents(await surface.post(ask("a b", { stream: true })));
    expect(data).toHaveLength(3);
    expect(streamFailure.parse(JSON.parse(data[2] ?? "")).error.status_code).toBe(500);
    expect(surface.records).toMatchObject([{ outcome: "failed", reason: "INTERNAL" }]);
  });

  it("closes the connection if the error translator fails, and serves further calls", async () => {
    const surface = await startSurface(faulty({ toResponse: fail }, { toError: fail }), echoed);
    await expect(surface.post(ask("a"))).rejects.toThrow("fetch failed");
    await expect(surface.post(ask("a"))).rejects.toThrow("fetch failed");
    expect(surface.records).toHaveLength(2);
  });
});

describe("a call", () => {
  it("responds with 408 or ends the stream when a call exceeds its maximum duration", async () => {
    const surface = await startSurface(egpChatSurface, { ...echoed, maxCallMs: 150 });
    expect((await surface.post(ask(script({ stall: { after: "started" } })))).status).toBe(408);
    const stalled = script({ text: "a b c", stall: { after: 1 } });
    const { data } = await readEvents(await surface.post(ask(stalled, { stream: true })));
    expect(data).toHaveLength(2);
    streamFailure.parse(JSON.parse(data[1] ?? ""));
  });

  it("pauses a call whose client does not read, until the maximum duration", async () => {
    const surface = await startSurface(egpChatSurface, { ...echoed, maxCallMs: 400 });
    const record = surface.nextRecord();
    const flood = script({ text: "x ", repeat: 1_000_000, large: 65_536 });
    const response = await surface.post(ask(flood, { stream: true }));
    expect(await record).toMatchObject({ outcome: "deadline_exceeded" });
    await response.body?.cancel();
  });

  it("returns the request ID of the request", async () => {
    const surface = await startSurface(egpChatSurface, echoed);
    const response = await surface.post(ask("hi"), { headers: { "x-request-id": "abc-7" } });
    expect(response.headers.get("x-request-id")).toBe("abc-7");
  });

  it("ends a stream with [DONE] if the API does", async () => {
    const surface = await startSurface({ ...egpChatSurface, endsWithDone: true }, echoed);
    const { data } = await readEvents(await surface.post(ask("a", { stream: true })));
    expect(data.at(-1)).toBe("[DONE]");
  });
});

describe("a stream that is silent", () => {
  const stalled = ask(script({ text: "a", stall: { after: 0 } }), { stream: true });

  it("sends 200 after the wait for the first output, then an event for the error", async () => {
    const surface = await startSurface(egpChatSurface, { ...echoed, streamHeadersAfterMs: 20, maxCallMs: 300 });
    const response = await surface.post(stalled);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toMatch("text/event-stream");
    const { data, comments } = await readEvents(response);
    expect(comments).toEqual(["waiting"]);
    expect(data).toHaveLength(1);
    expect(streamFailure.safeParse(JSON.parse(data[0] ?? "")).success).toBe(true);
    expect(surface.records).toMatchObject([{ outcome: "deadline_exceeded" }]);
  });

  it("sends warnings in a comment if the headers are already sent", async () => {
    const prompt = script({ text: "a", first_delay_ms: 100 });
    const surface = await startSurface(egpChatSurface, { ...echoed, streamHeadersAfterMs: 1 });
    const more = { stream: true, model_parameters: { topK: 5 } };
    const response = await surface.post(ask(prompt, more));
    expect(response.headers.get("x-dragoman-warnings")).toBeNull();
    const { comments } = await readEvents(response);
    expect(comments[0]).toBe("waiting");
    expect(comments[1]).toMatch(/^x-dragoman-warnings: .*topK/);
  });
});

describe("a silence timer", () => {
  it("calls back after the first wait, then after every 15 s without output", () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    let pings = 0;
    const timer = new SilenceTimer(1000, () => pings++);
    vi.advanceTimersByTime(999);
    expect(pings).toBe(0);
    vi.advanceTimersByTime(1);
    expect(pings).toBe(1);
    vi.advanceTimersByTime(14_000);
    timer.restart();
    vi.advanceTimersByTime(14_999);
    expect(pings).toBe(1);
    vi.advanceTimersByTime(2);
    expect(pings).toBe(2);
    timer.stop();
    vi.advanceTimersByTime(60_000);
    expect(pings).toBe(2);
    vi.useRealTimers();
  });
});
