import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** Request that the upstream received. */
export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Body as text. */
  readonly body: string;
  /** Resolves when the client closes the connection before the response is complete. */
  readonly aborted: Promise<void>;
}

/** Step of a scripted response. */
export type Step =
  /** Sends these bytes as one chunk. */
  | { readonly write: string | Uint8Array }
  /** Waits for a promise of the test, or for that which a function returns when its turn comes. */
  | { readonly hold: Promise<unknown> | (() => Promise<unknown>) }
  /** Destroys the socket. */
  | { readonly cut: true }
  /** Resets the connection. */
  | { readonly reset: true }
  /** Sends blocks as fast as the client reads them, until a block is empty. */
  | { readonly flood: () => Uint8Array };

/** Scripted response: status, headers and steps. The body ends after the last step, and without steps it is empty. */
export interface Script {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly steps?: readonly Step[];
  /** Promise to await before the headers are sent. */
  readonly holdHeaders?: Promise<unknown>;
  /** Resets the connection instead of a response. */
  readonly resets?: true;
}

/** A script, or a function that returns the script for a request. */
export type Playable = Script | ((request: RecordedRequest) => Script);

/**
 * Provider for tests: a real HTTP server that records requests and plays one script per request. The last script
 * repeats.
 */
export interface ReplayUpstream extends AsyncDisposable {
  readonly baseUrl: string;
  /** Complete requests so far. */
  readonly requests: readonly RecordedRequest[];
  /** Number of connections so far. */
  readonly connections: number;
  /** Resolves when no connection is open. */
  disconnected(): Promise<void>;
  /** Bytes of all `flood` steps that were passed to the sockets. */
  readonly floodedBytes: number;
  /** Resolves with the next request. */
  nextRequest(): Promise<RecordedRequest>;
}

export async function startReplayUpstream(...scripts: readonly Playable[]): Promise<ReplayUpstream> {
  const requests: RecordedRequest[] = [];
  const waiters: ((request: RecordedRequest) => void)[] = [];
  const sockets = new Set<Socket>();
  const leavers: (() => void)[] = [];
  let connections = 0;
  let floodedBytes = 0;

  const server = createServer(async (message, response) => {
    const playable = scripts[Math.min(requests.length, scripts.length - 1)] ?? {};
    const closed = once(response, "close");
    const aborted = closed.then(() => (response.writableFinished ? new Promise<void>(() => {}) : undefined));
    let body = "";
    for await (const chunk of message.setEncoding("utf8")) body += chunk;
    const request = {
      method: message.method ?? "",
      path: message.url ?? "",
      headers: message.headers,
      body,
      aborted,
    };
    requests.push(request);
    const script = typeof playable === "function" ? playable(request) : playable;
    for (const waiter of waiters.splice(0)) waiter(request);
    await script.holdHeaders;
    if (response.destroyed) return;
    if (script.resets) {
      response.socket?.resetAndDestroy();
      return;
    }
    response.writeHead(script.status ?? 200, { "content-type": "text/event-stream", ...script.headers });
    response.flushHeaders();
    for (const step of script.steps ?? []) await run(step, response, closed);
    response.end();
  });
  server.on("connection", (socket) => {
    connections += 1;
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on("error", () => {});
    socket.once("close", () => {
      sockets.delete(socket);
      if (sockets.size === 0) for (const leave of leavers.splice(0)) leave();
    });
  });

  async function run(step: Step, response: ServerResponse, closed: Promise<unknown>): Promise<void> {
    // Resolves once the kernel has the bytes, so that each write is a separate segment.
    const write = (bytes: string | Uint8Array) =>
      Promise.race([new Promise<unknown>((resolve) => response.write(bytes, resolve)), closed.then(() => "closed")]);
    if (response.destroyed) return;
    if ("write" in step) {
      await write(step.write);
    } else if ("hold" in step) {
      await Promise.race([typeof step.hold === "function" ? step.hold() : step.hold, closed]);
    } else if ("cut" in step) {
      response.socket?.destroy();
    } else if ("reset" in step) {
      response.socket?.resetAndDestroy();
    } else {
      for (let block = step.flood(); block.length > 0; block = step.flood()) {
        floodedBytes += block.length;
        const problem = await write(block);
        if (problem) return;
      }
    }
  }

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return {
    baseUrl: `http://127.0.0.1:${address.port}`,
    requests,
    get connections() {
      return connections;
    },
    get floodedBytes() {
      return floodedBytes;
    },
    disconnected: () => (sockets.size === 0 ? Promise.resolve() : new Promise((resolve) => leavers.push(resolve))),
    nextRequest: () => new Promise((resolve) => waiters.push(resolve)),
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
