import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { UpstreamTimeouts } from "../../src/config/provider.ts";
import { GatewayError } from "../../src/errors.ts";
import type { Adapter } from "../../src/providers/adapter.ts";
import { adapter, brief, collect, context, fixture, model, request } from "../providers/chat-completions/harness.ts";
import { streamFrom } from "../support/attempt.ts";
import { type ReplayUpstream, type Script, startReplayUpstream } from "../support/replay-upstream.ts";

const never = new Promise<void>(() => {});
const first = 'data: {"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}]}\n\n';

const open: { upstream?: ReplayUpstream; provider?: Adapter } = {};
afterEach(async () => {
  await open.provider?.close?.();
  await open.upstream?.[Symbol.asyncDispose]();
});

async function start(timeouts: Partial<UpstreamTimeouts>, ...scripts: readonly Script[]) {
  const upstream = await startReplayUpstream(...scripts);
  const provider = adapter(`${upstream.baseUrl}/v1`, timeouts);
  Object.assign(open, { upstream, provider });
  const ask = (signal = new AbortController().signal) => streamFrom(provider, request(), model(), signal).events;
  return { upstream, provider, ask };
}

describe("cancelling", () => {
  const gone = new GatewayError("CANCELLED", "the caller went away");

  it("before the headers aborts the upstream request and throws the signal's reason", async () => {
    const { upstream, ask } = await start({}, { holdHeaders: never });
    const controller = new AbortController();
    const seen = upstream.nextRequest();
    const outcome = collect(ask(controller.signal));
    const { aborted } = await seen;
    controller.abort(gone);
    expect((await outcome).error).toBe(gone);
    await aborted;
  });

  it("in the middle of a stream aborts the upstream request and throws the signal's reason", async () => {
    const { upstream, ask } = await start({}, { steps: [{ write: first }, { hold: never }] });
    const controller = new AbortController();
    const seen = upstream.nextRequest();
    const events: string[] = [];
    await expect(async () => {
      for await (const batch of ask(controller.signal)) {
        events.push(...brief(batch));
        if (events.length === 2) controller.abort(gone);
      }
    }).rejects.toBe(gone);
    expect(events).toEqual(["started", "text 0.0 Hi"]);
    await (await seen).aborted;
  });

  it("while the consumer is elsewhere aborts the upstream request at once", async () => {
    const { upstream, ask } = await start({}, { steps: [{ write: first }, { hold: never }] });
    const controller = new AbortController();
    const seen = upstream.nextRequest();
    const stream = ask(controller.signal)[Symbol.asyncIterator]();
    await stream.next();
    controller.abort(gone);
    await (await seen).aborted;
    await expect(stream.next()).rejects.toBe(gone);
  });

  it("before the start asks nobody", async () => {
    const { upstream, ask } = await start({}, {});
    expect((await collect(ask(AbortSignal.abort(gone)))).error).toBe(gone);
    expect(upstream.requests).toHaveLength(0);
  });

  it("happens too when the consumer stops in the middle", async () => {
    const { upstream, ask } = await start({}, { steps: [{ write: first }, { hold: never }] });
    const seen = upstream.nextRequest();
    for await (const _ of ask()) break;
    await (await seen).aborted;
  });
});

describe("an upstream that is silent", () => {
  it("before the headers is a PROVIDER_TIMEOUT, never a cancellation", async () => {
    const { upstream, ask } = await start({ firstEventMs: 300 }, { holdHeaders: never });
    const seen = upstream.nextRequest();
    const { error } = await collect(ask());
    expect(error).toMatchObject({ reason: "PROVIDER_TIMEOUT", status: "UNAVAILABLE" });
    await (await seen).aborted;
  });

  it("before the first event is a PROVIDER_TIMEOUT, keep-alives notwithstanding", async () => {
    const steps = [{ write: ": ping\n\n" }, { write: ": ping\n\n" }, { hold: never }];
    const { ask } = await start({ firstEventMs: 300 }, { steps });
    const { events, error } = await collect(ask());
    expect(events).toEqual([]);
    expect(error?.facts.provider).toMatchObject({ outputStarted: false, httpStatus: 200 });
    expect(error?.reason).toBe("PROVIDER_TIMEOUT");
  });

  it("between two events is a PROVIDER_TIMEOUT that says that output had begun", async () => {
    const { ask } = await start({ idleMs: 300 }, { steps: [{ write: first }, { hold: never }] });
    const { events, error } = await collect(ask());
    expect(brief(events)).toEqual(["started", "text 0.0 Hi"]);
    expect(error?.reason).toBe("PROVIDER_TIMEOUT");
    expect(error?.facts).toMatchObject({ metadata: { partial: "true" }, provider: { outputStarted: true } });
  });

  it("while connecting is a PROVIDER_TIMEOUT", async () => {
    const sockets: Socket[] = [];
    const mute = createServer((socket) => sockets.push(socket.on("error", () => {})));
    mute.listen(0, "127.0.0.1");
    await once(mute, "listening");
    const address = mute.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const provider = adapter(`https://127.0.0.1:${port}`, { connectMs: 20 });
    const { error } = await collect(provider.stream(request(), model(), context()));
    expect(error?.reason).toBe("PROVIDER_TIMEOUT");
    await provider.close?.();
    for (const socket of sockets) socket.destroy();
    mute.close();
  });
});

describe("a connection", () => {
  it("that cannot be made is PROVIDER_UNAVAILABLE", async () => {
    const upstream = await startReplayUpstream();
    const provider = adapter(upstream.baseUrl);
    await upstream[Symbol.asyncDispose]();
    const { error } = await collect(provider.stream(request(), model(), context()));
    expect(error).toMatchObject({ reason: "PROVIDER_UNAVAILABLE", status: "UNAVAILABLE" });
    await provider.close?.();
  });

  it("that is cut before the headers is PROVIDER_UNAVAILABLE", async () => {
    const server = createServer((socket) => socket.once("data", () => socket.destroy()));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const provider = adapter(`http://127.0.0.1:${port}`);
    const { error } = await collect(provider.stream(request(), model(), context()));
    expect(error?.reason).toBe("PROVIDER_UNAVAILABLE");
    await provider.close?.();
    server.close();
  });

  it("that is cut in the middle of a stream is PROVIDER_STREAM_INTERRUPTED, after all that had come", async () => {
    const headers = { "x-request-id": "req_1" };
    const { ask } = await start({}, { headers, steps: [{ write: first }, { cut: true }] });
    const { events, error } = await collect(ask());
    expect(brief(events)).toEqual(["started", "text 0.0 Hi"]);
    expect(error).toMatchObject({
      reason: "PROVIDER_STREAM_INTERRUPTED",
      facts: {
        metadata: { partial: "true" },
        provider: {
          provider: "openai",
          providerModel: "gpt-4o",
          httpStatus: 200,
          requestId: "req_1",
          outputStarted: true,
        },
      },
    });
  });

  it("serves later calls after a whole answer", async () => {
    const steps = [{ write: fixture("text.sse") }];
    const { upstream, ask } = await start({}, { steps });
    for (let call = 0; call < 20; call++) expect((await collect(ask())).error).toBeUndefined();
    expect(upstream.requests).toHaveLength(20);
    // The next call may begin before the end of the body has arrived, and then takes a second connection.
    expect(upstream.connections).toBeLessThanOrEqual(2);
  });

  it("is given up when a whole answer is followed by more and more", async () => {
    const block = Buffer.alloc(64 * 1024, ": more\n");
    const { upstream, ask } = await start({}, { steps: [{ write: fixture("text.sse") }, { flood: () => block }] });
    const seen = upstream.nextRequest();
    expect((await collect(ask())).error).toBeUndefined();
    await (await seen).aborted;
  });
});

describe("a reader that does not read", () => {
  it("pauses the upstream, and gets every event when it comes back", async () => {
    const perBlock = 200;
    const blocks = 1_000;
    const block = Buffer.from(first.repeat(perBlock).replaceAll("Hi", "x".repeat(400)));
    let left = blocks;
    const flood = () => (left-- > 0 ? block : Buffer.alloc(0));
    const end = 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n';
    const { upstream, ask } = await start(
      {},
      { steps: [{ flood }, { write: end }] },
      { steps: [{ write: fixture("text.sse") }] },
    );
    const stream = ask()[Symbol.asyncIterator]();
    const [, ...before] = brief((await stream.next()).value);
    // Other calls give the flood hundreds of turns of the event loop to run away in.
    for (let call = 0; call < 50; call++) await collect(ask());
    const total = block.length * blocks;
    expect(total).toBeGreaterThan(80_000_000);
    // What the sockets' buffers in the kernel take, and not more.
    expect(upstream.floodedBytes).toBeLessThan(total / 4);
    let deltas = before.length;
    for (let next = await stream.next(); !next.done; next = await stream.next()) {
      deltas += next.value.filter((event) => event.case === "delta").length;
    }
    expect(deltas).toBe(perBlock * blocks);
  });
});
