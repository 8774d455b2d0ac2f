import { once } from "node:events";
import { constants } from "node:http2";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ProviderSettings, UpstreamTimeouts } from "../../src/config/provider.ts";
import { resolveProxy } from "../../src/config/proxy.ts";
import { Secret } from "../../src/config/secret.ts";
import { GatewayError } from "../../src/errors.ts";
import { type Tuning, Upstream } from "../../src/upstream/http.ts";
import { readText } from "../../src/upstream/read-text.ts";
import { startCall } from "../../src/upstream/upstream-call.ts";
import { context, settings } from "../providers/chat-completions/harness.ts";
import { type Certificate, hasOpenssl, temporaryCertificate } from "../support/certificates.ts";
import { type Http2Exchange, type Http2Upstream, startHttp2Upstream, trust } from "../support/http2-upstream.ts";
import { startProxy } from "../support/proxy.ts";
import { startRelay } from "../support/relay.ts";
import { ask } from "../support/words.ts";

const certificate: Certificate | undefined = hasOpenssl ? temporaryCertificate() : undefined;
const open: AsyncDisposable[] = [];
let distrust = () => {};
beforeEach(() => {
  if (certificate !== undefined) distrust = trust(certificate);
});
afterEach(async () => {
  for (const resource of open.splice(0)) await resource[Symbol.asyncDispose]();
  distrust();
});

const sse = { "content-type": "text/event-stream" };
const reset = constants.NGHTTP2_CANCEL;
const gone = new GatewayError("CANCELLED", "the caller went away");

/** Serves one word and the end. */
const serveWord = ({ response }: Http2Exchange) => {
  response.writeHead(200, sse);
  response.end("data: a\n\ndata: .\n\n");
};

type More = Partial<ProviderSettings> & { readonly limits?: Partial<UpstreamTimeouts> };

function connect({ baseUrl }: Pick<Http2Upstream, "baseUrl">, { limits, ...more }: More = {}, tuning: Tuning = {}) {
  const usual = settings(baseUrl);
  const timeouts = { ...usual.timeouts, ...limits };
  const upstream = new Upstream(
    { ...usual, http2: true, maxConnections: 64, maxQueue: 64, ...more, timeouts },
    { requestId: [], limitPrefixes: [] },
    tuning,
  );
  open.push({ [Symbol.asyncDispose]: () => upstream.close() });
  return upstream;
}

async function start(
  serve: (exchange: Http2Exchange, index: number) => void | Promise<void> = serveWord,
  options: Parameters<typeof startHttp2Upstream>[1] = {},
): Promise<Http2Upstream> {
  const server = await startHttp2Upstream(serve, { ...(certificate && { certificate }), ...options });
  open.unshift(server);
  return server;
}

/** Writes a word and keeps the stream open until the promise resolves; then ends it with a period. */
const serveUntil =
  (promise: Promise<unknown>) =>
  async ({ response }: Http2Exchange) => {
    response.writeHead(200, sse);
    response.write("data: a\n\n");
    await promise;
    if (!response.stream?.destroyed) response.end("data: .\n\n");
  };

const never = new Promise<void>(() => {});
const times = <T>(count: number, make: (index: number) => T) =>
  Array.from({ length: count }, (_, index) => make(index));

describe.skipIf(!hasOpenssl)("HTTP/2 to a provider", () => {
  it("is not used unless the settings turn it on", async () => {
    const server = await start();
    expect((await ask(connect(server, { http2: false }))).words).toEqual(["a"]);
    expect(server.exchanges[0]?.request.httpVersion).toBe("1.1");
  });

  it("serves concurrent requests on one connection", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const server = await start(serveUntil(promise));
    const upstream = connect(server);
    const answers = times(32, () => ask(upstream));
    await server.arrived(32);
    resolve();
    for (const { words, error } of await Promise.all(answers)) expect({ words, error }).toEqual({ words: ["a"] });
    expect(server.connections).toBe(1);
    expect(new Set(server.exchanges.map(({ request }) => request.httpVersion))).toEqual(new Set(["2.0"]));
  });

  it.each(["before", "after"])("resets only the stream of a call that is cancelled %s the headers", async (when) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const server = await start(async (exchange, index) => {
      if (index === 0 && when === "before") return;
      await serveUntil(index === 0 ? never : promise)(exchange);
    });
    const upstream = connect(server);
    const controller = new AbortController();
    const cancelled = ask(upstream, { signal: controller.signal }, () => controller.abort(gone));
    const { closed } = await server.arrived(1);
    const others = times(8, () => ask(upstream));
    await server.arrived(9);
    controller.abort(gone);
    expect((await cancelled).error).toBe(gone);
    expect(await closed).toBe(reset);
    resolve();
    for (const { error } of await Promise.all(others)) expect(error).toBeUndefined();
    expect(server.connections).toBe(1);
  });

  it("finishes running streams after GOAWAY, and sends new requests on a new connection", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const server = await start(async (exchange, index) => {
      if (index < 2) await serveUntil(promise)(exchange);
      else serveWord(exchange);
    });
    const upstream = connect(server);
    const running = times(2, () => ask(upstream));
    const { request } = await server.arrived(2);
    request.stream.session?.goaway(constants.NGHTTP2_NO_ERROR, request.stream.id);
    for (let call = 0; call < 5; call++) expect((await ask(upstream)).error).toBeUndefined();
    resolve();
    for (const { error } of await Promise.all(running)) expect(error).toBeUndefined();
    expect(server.exchanges.slice(0, 2).every(({ connection }) => connection === 1)).toBe(true);
    expect(server.connections).toBe(2);
  });

  it("sends requests again that a GOAWAY shows as not processed", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const server = await start(async (exchange, index) => {
      if (index === 0) return await serveUntil(promise)(exchange);
      if (exchange.connection > 1) return serveWord(exchange);
      // Only the first stream was processed.
      exchange.request.stream.session?.goaway(constants.NGHTTP2_NO_ERROR, 1);
    });
    const upstream = connect(server);
    const first = ask(upstream);
    await server.arrived(1);
    for (const { error } of await Promise.all(times(5, () => ask(upstream)))) expect(error).toBeUndefined();
    resolve();
    expect((await first).error).toBeUndefined();
    expect(server.connections).toBe(2);
  });

  it.each([1, 2])("sends a request again once if the server refuses its stream %i times", async (refusals) => {
    const server = await start((exchange, index) => {
      if (index < refusals) exchange.request.stream.close(constants.NGHTTP2_REFUSED_STREAM);
      else serveWord(exchange);
    });
    const { error } = await ask(connect(server));
    if (refusals === 1) expect(error).toBeUndefined();
    else expect(error?.reason).toBe("PROVIDER_UNAVAILABLE");
    expect(server.exchanges).toHaveLength(2);
  });

  it("respects the server's limit of streams: requests wait, none fails", async () => {
    let streams = 0;
    let most = 0;
    const server = await start(
      async ({ response, request }) => {
        most = Math.max(most, ++streams);
        request.stream.once("close", () => streams--);
        response.writeHead(200, sse);
        response.end("data: a\n\ndata: .\n\n");
      },
      { maxConcurrentStreams: 2 },
    );
    const upstream = connect(server, { maxConnections: 40 });
    for (const { error } of await Promise.all(times(40, () => ask(upstream)))) expect(error).toBeUndefined();
    expect(server.exchanges).toHaveLength(40);
    expect(most).toBeLessThanOrEqual(2 * server.connections);
  });

  it("bounds the requests in progress and those that wait", async () => {
    const server = await start(serveUntil(never));
    const upstream = connect(server, { maxConnections: 3, maxQueue: 2 });
    const controller = new AbortController();
    const running = times(5, () => ask(upstream, { signal: controller.signal }));
    await server.arrived(3);
    expect((await ask(upstream)).error?.reason).toBe("QUEUE_FULL");
    controller.abort(gone);
    await Promise.all(running);
    expect(server.exchanges).toHaveLength(3);
  });

  it("falls back to HTTP/1.1 with one connection for each request in progress", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const server = await start(serveUntil(promise), { onlyHttp1: true });
    const upstream = connect(server);
    const answers = times(4, () => ask(upstream));
    await server.arrived(4);
    resolve();
    for (const { error } of await Promise.all(answers)) expect(error).toBeUndefined();
    expect(server.connections).toBe(4);
    expect(server.exchanges[0]?.request.httpVersion).toBe("1.1");
  });

  it("works through a CONNECT proxy", async () => {
    const server = await start();
    await using proxy = await startProxy();
    const url = new Secret(`http://127.0.0.1:${proxy.port}`);
    const choice = resolveProxy({ environment: {}, configured: { url, place: "proxy" }, on: true }, () => {});
    const upstream = connect(server, { proxy: choice });
    const answers = await Promise.all(times(8, () => ask(upstream)));
    for (const { error } of answers) expect(error).toBeUndefined();
    expect(proxy.connects).toEqual([`127.0.0.1:${server.port}`]);
    expect(server.exchanges[0]?.request.httpVersion).toBe("2.0");
  });

  it("throws PROVIDER_TIMEOUT for a silent stream, and resets only that", async () => {
    const server = await start((exchange, index) => {
      if (index > 0) serveWord(exchange);
    });
    const upstream = connect(server, { limits: { firstEventMs: 200 } });
    const silent = ask(upstream);
    const { closed } = await server.arrived(1);
    expect((await ask(upstream)).error).toBeUndefined();
    expect((await silent).error?.reason).toBe("PROVIDER_TIMEOUT");
    expect(await closed).toBe(reset);
    expect((await ask(upstream)).error).toBeUndefined();
    expect(server.connections).toBe(1);
  });

  it.each<[string, (exchange: Http2Exchange) => unknown]>([
    ["the server resets the stream", ({ request }) => request.stream.close(constants.NGHTTP2_INTERNAL_ERROR)],
    ["the connection breaks", ({ request }) => request.stream.session?.destroy()],
  ])("throws PROVIDER_STREAM_INTERRUPTED if %s after output", async (_, cut) => {
    const server = await start((exchange, index) => {
      if (index > 0) return serveWord(exchange);
      exchange.response.writeHead(200, sse);
      exchange.response.write("data: a\n\n");
    });
    const upstream = connect(server);
    const { words, error } = await ask(upstream, {}, () => server.exchanges[0] && cut(server.exchanges[0]));
    expect(words).toEqual(["a"]);
    expect(error?.reason).toBe("PROVIDER_STREAM_INTERRUPTED");
    expect((await ask(upstream)).error).toBeUndefined();
  });

  it.each<[string, (exchange: Http2Exchange) => unknown]>([
    ["resets the stream", ({ request }) => request.stream.close(constants.NGHTTP2_INTERNAL_ERROR)],
    ["ends the stream without headers", ({ request }) => request.stream.close(constants.NGHTTP2_NO_ERROR)],
    ["breaks a new connection", ({ request }) => request.stream.session?.destroy()],
  ])("throws PROVIDER_UNAVAILABLE and does not send again if the server %s before headers", async (_, cut) => {
    const server = await start((exchange) => void cut(exchange));
    const { error } = await ask(connect(server));
    expect(error?.reason).toBe("PROVIDER_UNAVAILABLE");
    expect(server.exchanges).toHaveLength(1);
  });

  describe("a connection that was used before and breaks before any byte of the next response", () => {
    /** Serves a JSON body, of which the client reads the end. */
    const serveWhole = ({ response }: Http2Exchange) => {
      response.writeHead(200, { "content-type": "application/json" });
      response.end(".");
    };
    const breakSocket = (server: Http2Upstream, { connection }: Http2Exchange) =>
      server.sockets[connection - 1]?.destroy();

    it("is replaced, and the request sent again", async () => {
      const server = await start((exchange, index) => {
        if (index === 1) breakSocket(server, exchange);
        else serveWhole(exchange);
      });
      const upstream = connect(server);
      expect((await ask(upstream)).error).toBeUndefined();
      expect((await ask(upstream)).error).toBeUndefined();
      expect(server.exchanges).toHaveLength(3);
      expect(server.connections).toBe(2);
    });

    it("is replaced only once", async () => {
      const server = await start((exchange, index) => {
        if (index > 0) breakSocket(server, exchange);
        else serveWhole(exchange);
      });
      const upstream = connect(server);
      expect((await ask(upstream)).error).toBeUndefined();
      expect((await ask(upstream)).error?.reason).toBe("PROVIDER_UNAVAILABLE");
      expect(server.exchanges).toHaveLength(3);
      // All slots are free again.
      for (let call = 0; call < 70; call++) expect((await ask(upstream)).error?.reason).toBe("PROVIDER_UNAVAILABLE");
    });
  });

  it("finds a dead connection by pings, and uses another one", async () => {
    const server = await start((exchange, index) => {
      // The network loses the first connection.
      if (index === 0) relay.freeze();
      else serveWord(exchange);
    });
    await using relay = await startRelay(server.port);
    const upstream = connect({ baseUrl: `https://127.0.0.1:${relay.port}` }, {}, { pingMs: 100 });
    const { error } = await ask(upstream);
    expect(error?.reason).toBe("PROVIDER_UNAVAILABLE");
    expect(error?.message).toContain("the server stopped answering (PING_TIMEOUT)");
    expect((await ask(upstream)).error).toBeUndefined();
    expect(server.connections).toBe(2);
  });

  it("sends large requests at the same time", async () => {
    const server = await start(({ response, body }) => {
      response.writeHead(200, { "content-type": "text/plain" });
      response.end(String(body.length));
    });
    const upstream = connect(server);
    const large = "x".repeat(4 * 1024 * 1024);
    const sizes = times(12, async () => {
      const response = await upstream.send("/", large, {}, startCall(context()));
      return (await readText(response, 100)).text;
    });
    expect(new Set(await Promise.all(sizes))).toEqual(new Set([String(large.length)]));
    expect(server.connections).toBe(1);
  });

  it("sends a request without a body by GET", async () => {
    const server = await start();
    const response = await connect(server).send("/models", undefined, {}, startCall(context()));
    expect(response.status).toBe(200);
    const { request } = await server.arrived(1);
    expect(request.headers).toMatchObject({ ":method": "GET", ":path": "/models" });
    expect(Object.keys(request.headers)).not.toEqual(expect.arrayContaining(["content-length"]));
    expect(Object.keys(request.headers)).not.toEqual(expect.arrayContaining(["content-type"]));
    response.close();
  });

  it("drops the headers of a connection, which HTTP/2 forbids", async () => {
    const server = await start();
    const headers = { connection: "keep-alive", "transfer-encoding": "chunked", host: "other.example", "x-own": "1" };
    expect((await ask(connect(server, { headers }))).error).toBeUndefined();
    const { request } = await server.arrived(1);
    expect(request.headers).toMatchObject({ "x-own": "1", ":authority": "other.example", "content-length": "2" });
    expect(Object.keys(request.headers)).not.toContain("connection");
  });

  it("names the errors of connecting, and fails each waiting request with them", async () => {
    const server = await start();
    distrust();
    const upstream = connect(server);
    for (const { error } of await Promise.all(times(5, () => ask(upstream)))) {
      expect(error?.message).toContain("the server's certificate is self-signed");
      expect(error?.facts.retryHere).toBe(false);
    }
  });

  it("lets the other streams go on while nobody reads one", async () => {
    const block = `data: ${"x".repeat(16_000)}\n\n`;
    let written = 0;
    const total = 2_000;
    const server = await start(async (exchange, index) => {
      if (index > 0) return serveWord(exchange);
      const { stream } = exchange.request;
      exchange.response.writeHead(200, sse);
      for (; written < total; written++) {
        if (!stream.write(block)) await new Promise((resolve) => stream.once("drain", resolve));
      }
      stream.end("data: .\n\n");
    });
    const upstream = connect(server);
    const { promise: canRead, resolve: read } = Promise.withResolvers<void>();
    const slow = ask(upstream, {}, () => canRead);
    await server.arrived(1);
    for (let call = 0; call < 100; call++) expect((await ask(upstream)).words).toEqual(["a"]);
    expect(written).toBeLessThan(total / 4);
    read();
    const { words, error } = await slow;
    expect(error).toBeUndefined();
    expect(words).toHaveLength(total);
    expect(server.connections).toBe(1);
  });

  it("closes a connection that nobody uses", async () => {
    const server = await start();
    const upstream = connect(server, {}, { maxIdleMs: 20 });
    expect((await ask(upstream)).error).toBeUndefined();
    const [socket] = server.sockets;
    if (socket?.destroyed === false) await once(socket, "close");
    expect((await ask(upstream)).error).toBeUndefined();
    expect(server.connections).toBe(2);
  });

  it("moves to a new connection when one has reached its age, and fails no call", async () => {
    const server = await start();
    const upstream = connect(server, {}, { maxAgeMs: 1 });
    while (server.connections < 3) expect((await ask(upstream)).error).toBeUndefined();
  });
});
