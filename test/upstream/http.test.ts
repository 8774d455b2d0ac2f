import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { UpstreamTimeouts } from "../../src/config/provider.ts";
import { GatewayError } from "../../src/errors.ts";
import type { Adapter } from "../../src/providers/adapter.ts";
import { adapter, brief, collect, context, fixture, model, request } from "../providers/chat-completions/harness.ts";
import { streamFrom } from "../support/attempt.ts";
import { type ReplayUpstream, type Script, startReplayUpstream } from "../support/replay-upstream.ts";

const never = new Promise<void>(() => {});
/** Connections of the adapters in test/support/configured.ts. */
const maxConnections = 4;
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
  const stream = (signal = new AbortController().signal) => streamFrom(provider, request(), model(), signal).events;
  return { upstream, provider, stream };
}

/** Starts a server that accepts connections and never answers a TLS handshake. */
async function startMute() {
  const sockets: Socket[] = [];
  const server = createServer((socket) => sockets.push(socket.on("error", () => {})));
  const connection = once(server, "connection");
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  return {
    baseUrl: `https://127.0.0.1:${port}`,
    /** Resolves at the first connection. */
    connection,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await once(server.close(), "close");
    },
  };
}

describe("cancelling", () => {
  const gone = new GatewayError("CANCELLED", "the caller went away");

  it("aborts the upstream request if cancelled before the headers", async () => {
    const { upstream, stream } = await start({}, { holdHeaders: never });
    const controller = new AbortController();
    const seen = upstream.nextRequest();
    const outcome = collect(stream(controller.signal));
    const { aborted } = await seen;
    controller.abort(gone);
    expect((await outcome).error).toBe(gone);
    await aborted;
  });

  it("aborts the upstream request if cancelled during a stream", async () => {
    const { upstream, stream } = await start({}, { steps: [{ write: first }, { hold: never }] });
    const controller = new AbortController();
    const seen = upstream.nextRequest();
    const events: string[] = [];
    await expect(async () => {
      for await (const batch of stream(controller.signal)) {
        events.push(...brief(batch));
        if (events.length === 2) controller.abort(gone);
      }
    }).rejects.toBe(gone);
    expect(events).toEqual(["started", "text 0.0 Hi"]);
    await (await seen).aborted;
  });

  it("aborts the upstream request at once if cancelled while nobody reads", async () => {
    const { upstream, stream } = await start({}, { steps: [{ write: first }, { hold: never }] });
    const controller = new AbortController();
    const seen = upstream.nextRequest();
    const batches = stream(controller.signal)[Symbol.asyncIterator]();
    await batches.next();
    controller.abort(gone);
    await (await seen).aborted;
    await expect(batches.next()).rejects.toBe(gone);
  });

  it("sends no request if cancelled before the start", async () => {
    const { upstream, stream } = await start({}, {});
    expect((await collect(stream(AbortSignal.abort(gone)))).error).toBe(gone);
    expect(upstream.requests).toHaveLength(0);
  });

  it("aborts the upstream request if the consumer stops early", async () => {
    const { upstream, stream } = await start({}, { steps: [{ write: first }, { hold: never }] });
    const seen = upstream.nextRequest();
    for await (const _ of stream()) break;
    await (await seen).aborted;
  });
});

describe("an upstream that is silent", () => {
  it("throws PROVIDER_TIMEOUT if no headers arrive, and not CANCELLED", async () => {
    const { upstream, stream } = await start({ firstEventMs: 300 }, { holdHeaders: never });
    const seen = upstream.nextRequest();
    const { error } = await collect(stream());
    expect(error).toMatchObject({ reason: "PROVIDER_TIMEOUT", status: "UNAVAILABLE" });
    await (await seen).aborted;
  });

  it("throws PROVIDER_TIMEOUT if only keep-alives and no event arrive", async () => {
    const steps = [{ write: ": ping\n\n" }, { write: ": ping\n\n" }, { hold: never }];
    const { stream } = await start({ firstEventMs: 300 }, { steps });
    const { events, error } = await collect(stream());
    expect(events).toEqual([]);
    expect(error?.facts.provider).toMatchObject({ outputStarted: false, httpStatus: 200 });
    expect(error?.reason).toBe("PROVIDER_TIMEOUT");
  });

  it("throws PROVIDER_TIMEOUT with outputStarted if the next event is late", async () => {
    const { stream } = await start({ idleMs: 300 }, { steps: [{ write: first }, { hold: never }] });
    const { events, error } = await collect(stream());
    expect(brief(events)).toEqual(["started", "text 0.0 Hi"]);
    expect(error?.reason).toBe("PROVIDER_TIMEOUT");
    expect(error?.facts).toMatchObject({ metadata: { partial: "true" }, provider: { outputStarted: true } });
  });

  it("throws PROVIDER_TIMEOUT if connecting takes too long", async () => {
    await using mute = await startMute();
    const provider = adapter(mute.baseUrl, { connectMs: 20 });
    const { error } = await collect(provider.stream(request(), model(), context()));
    expect(error?.reason).toBe("PROVIDER_TIMEOUT");
    await provider.close?.();
  });
});

describe("a connection", () => {
  it("throws PROVIDER_UNAVAILABLE if the connection is refused", async () => {
    const upstream = await startReplayUpstream();
    const provider = adapter(upstream.baseUrl);
    await upstream[Symbol.asyncDispose]();
    const { error } = await collect(provider.stream(request(), model(), context()));
    expect(error).toMatchObject({ reason: "PROVIDER_UNAVAILABLE", status: "UNAVAILABLE" });
    await provider.close?.();
  });

  it("throws PROVIDER_UNAVAILABLE if the connection closes before the headers", async () => {
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

  it("yields events, then throws PROVIDER_STREAM_INTERRUPTED if a stream breaks", async () => {
    const headers = { "x-request-id": "req_1" };
    const { stream } = await start({}, { headers, steps: [{ write: first }, { cut: true }] });
    const { events, error } = await collect(stream());
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

  it("reuses the connection after a complete response", async () => {
    const steps = [{ write: fixture("text.sse") }];
    const { upstream, stream } = await start({}, { steps });
    for (let call = 0; call < 20; call++) expect((await collect(stream())).error).toBeUndefined();
    expect(upstream.requests).toHaveLength(20);
    // A call that starts before the previous body has ended opens a second connection.
    expect(upstream.connections).toBeLessThanOrEqual(2);
  });

  it("closes the connection if data keeps arriving after a complete response", async () => {
    const block = Buffer.alloc(64 * 1024, ": more\n");
    const { upstream, stream } = await start({}, { steps: [{ write: fixture("text.sse") }, { flood: () => block }] });
    const seen = upstream.nextRequest();
    expect((await collect(stream())).error).toBeUndefined();
    await (await seen).aborted;
  });
});

describe("the slot of a request that gets no connection", () => {
  it("is free again after a refused connection", async () => {
    const upstream = await startReplayUpstream();
    const provider = adapter(upstream.baseUrl);
    await upstream[Symbol.asyncDispose]();
    for (let call = 0; call < maxConnections * 2; call++) {
      const { error } = await collect(provider.stream(request(), model(), context()));
      expect(error?.reason).toBe("PROVIDER_UNAVAILABLE");
    }
    await provider.close?.();
  });

  it("is free again once connecting has ended, even after a cancellation", async () => {
    await using mute = await startMute();
    const provider = adapter(mute.baseUrl, { connectMs: 300 });
    const controller = new AbortController();
    const cancelled = Array.from({ length: maxConnections }, () =>
      collect(provider.stream(request(), model(), context(controller.signal))),
    );
    await mute.connection;
    controller.abort(new GatewayError("CANCELLED", "the caller went away"));
    for (const { error } of await Promise.all(cancelled)) expect(error?.reason).toBe("CANCELLED");
    const waited = context();
    const { error } = await collect(provider.stream(request(), model(), waited));
    expect(error?.reason).toBe("PROVIDER_TIMEOUT");
    expect(waited.attempt.queueDuration).toBeDefined();
    await provider.close?.();
  });
});

describe("backpressure", () => {
  it("pauses the upstream while nobody reads, and loses no event", async () => {
    const perBlock = 200;
    const blocks = 1_000;
    const block = Buffer.from(first.repeat(perBlock).replaceAll("Hi", "x".repeat(400)));
    let left = blocks;
    const flood = () => (left-- > 0 ? block : Buffer.alloc(0));
    const end = 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n';
    const { upstream, stream } = await start(
      {},
      { steps: [{ flood }, { write: end }] },
      { steps: [{ write: fixture("text.sse") }] },
    );
    const batches = stream()[Symbol.asyncIterator]();
    const [, ...before] = brief((await batches.next()).value);
    // Other calls run the event loop hundreds of times: without backpressure, the upstream would send all blocks.
    for (let call = 0; call < 50; call++) await collect(stream());
    const total = block.length * blocks;
    expect(total).toBeGreaterThan(80_000_000);
    // Only the kernel's socket buffers may fill up.
    expect(upstream.floodedBytes).toBeLessThan(total / 4);
    let deltas = before.length;
    for (let next = await batches.next(); !next.done; next = await batches.next()) {
      deltas += next.value.filter((event) => event.case === "delta").length;
    }
    expect(deltas).toBe(perBlock * blocks);
  });
});
