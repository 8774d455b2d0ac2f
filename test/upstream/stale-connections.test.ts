import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { GatewayError } from "../../src/errors.ts";
import { provider } from "../../src/providers/chat-completions/servers/openai/index.ts";
import { startAttempt } from "../../src/routing/attempt.ts";
import { TemplateSandbox } from "../../src/templates/sandbox.ts";
import { collect, model, request, settings } from "../providers/chat-completions/harness.ts";

const body = 'data: {"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n';
const json = '{"choices":[{"index":0,"message":{"content":"Hi"},"finish_reason":"stop"}]}';
const answer = (whole: boolean, headers = "") => {
  const text = whole ? json : body;
  const type = whole ? "application/json" : "text/event-stream";
  return `HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\n${headers}content-length: ${text.length}\r\n\r\n${text}`;
};

/** Place of a request: of all requests, of its connection's requests, and of the connections, from 1. */
interface Place {
  readonly request: number;
  readonly ofConnection: number;
  readonly connection: number;
}

/** Starts a server on plain sockets that calls `serve` for each complete request. */
async function start(serve: (socket: Socket, place: Place) => void, maxConnections = 1) {
  const sockets = new Set<Socket>();
  const counts = { requests: 0, connections: 0 };
  const server = createServer((socket) => {
    const connection = ++counts.connections;
    let ofConnection = 0;
    let seen = "";
    sockets.add(socket.on("error", () => {}));
    socket.on("data", (data) => {
      seen += data.toString("latin1");
      const end = seen.indexOf("\r\n\r\n");
      if (end < 0 || seen.length < end + 4 + Number(/content-length: (\d+)/i.exec(seen)?.[1])) return;
      seen = "";
      serve(socket, { request: ++counts.requests, ofConnection: ++ofConnection, connection });
    });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  // With one connection, each call uses the connection of the last one.
  const sandbox = new TemplateSandbox({ maxProcesses: 1, maxPerAccount: 1 });
  const own = { maxConnections, options: { api: "auto" as const } };
  await provider.load?.();
  const adapter = provider.create({ ...settings(`http://127.0.0.1:${address.port}`), ...own }, sandbox);
  return {
    counts,
    async call(whole = false, signal = new AbortController().signal) {
      const attempt = startAttempt({ adapter, model: model() }, request(), { signal, holder: "a", whole });
      const { events, error } = await collect(attempt.events);
      return { text: events.some(({ case: kind }) => kind === "completed"), error, attempt: attempt.attempt };
    },
    async [Symbol.asyncDispose]() {
      await adapter.close?.();
      for (const socket of sockets) socket.destroy();
      await once(server.close(), "close");
    },
  };
}

const ends = {
  "is reset": (socket: Socket) => socket.resetAndDestroy(),
  "is closed": (socket: Socket) => socket.destroy(),
  "is half-closed": (socket: Socket) => socket.end(),
};

describe.each([
  ["streamed", false],
  ["whole", true],
])("a connection that was used before, %s", (_, whole) => {
  it.each(Object.entries(ends))("is replaced if it %s before any byte of the answer", async (_name, end) => {
    await using server = await start((socket, { ofConnection }) => {
      if (ofConnection === 1) socket.write(answer(whole));
      else end(socket);
    });
    for (let call = 0; call < 5; call++) {
      const { text, error, attempt } = await server.call(whole);
      expect(error).toBeUndefined();
      expect(text).toBe(true);
      expect(attempt.httpStatus).toBe(200);
    }
  });

  it("is replaced by a new one, not by another unused one", async () => {
    // Three calls at once open three connections. All of them are stale for the next calls.
    const held: Socket[] = [];
    await using server = await start((socket, { ofConnection, request: count }) => {
      if (count <= 3) {
        held.push(socket);
        if (held.length === 3) for (const other of held) other.write(answer(whole));
      } else if (ofConnection === 1) socket.write(answer(whole));
      else socket.resetAndDestroy();
    }, 3);
    await Promise.all([server.call(whole), server.call(whole), server.call(whole)]);
    expect((await server.call(whole)).error).toBeUndefined();
  });

  it("is replaced only once", async () => {
    await using server = await start((socket, { request: count }) => {
      if (count === 1) socket.write(answer(whole));
      else socket.resetAndDestroy();
    });
    await server.call(whole);
    expect((await server.call(whole)).error?.reason).toBe("PROVIDER_UNAVAILABLE");
    expect(server.counts).toEqual({ requests: 3, connections: 2 });
    // The slots are free again.
    for (let call = 0; call < 6; call++) expect((await server.call(whole)).error?.reason).toBe("PROVIDER_UNAVAILABLE");
  });

  it("is not replaced after a byte of the answer", async () => {
    await using server = await start((socket, { request: count }) => {
      if (count === 1) socket.write(answer(whole));
      else socket.write("H", () => socket.resetAndDestroy());
    });
    await server.call(whole);
    expect((await server.call(whole)).error?.reason).toBe("PROVIDER_UNAVAILABLE");
    expect(server.counts.requests).toBe(2);
  });

  it("is not replaced after a cancellation, and a cancellation also ends the repeated request", async () => {
    const controller = new AbortController();
    const gone = new GatewayError("CANCELLED", "the caller cancelled the call");
    await using server = await start((socket, { ofConnection, request: count }) => {
      if (count === 1) socket.write(answer(whole));
      else if (ofConnection > 1) socket.resetAndDestroy();
      else controller.abort(gone);
    });
    await server.call(whole);
    expect((await server.call(whole, controller.signal)).error).toBe(gone);
    expect(server.counts.requests).toBe(3);
  });
});

describe("a new connection", () => {
  it("is not replaced if it ends before the answer: the provider may have read the request", async () => {
    await using server = await start((socket) => socket.destroy());
    expect((await server.call()).error?.reason).toBe("PROVIDER_UNAVAILABLE");
    expect(server.counts.requests).toBe(1);
  });

  it("is not used again if the provider's keep-alive header allows no time", async () => {
    await using server = await start((socket) => socket.write(answer(false, "keep-alive: timeout=1\r\n")));
    for (let call = 0; call < 3; call++) expect((await server.call()).error).toBeUndefined();
    expect(server.counts.connections).toBe(3);
  });
});
