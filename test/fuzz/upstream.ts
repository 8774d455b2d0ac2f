import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { type ProviderShot, writeOf } from "./shot.ts";

/** Response of the hostile provider. */
type Reply = Pick<ProviderShot, "response" | "end">;

/** Provider that sends any bytes in response to a request. */
export interface HostileUpstream extends AsyncDisposable {
  readonly baseUrl: string;
  /** Sets the response to requests whose body contains the returned marker, until `forget` of that marker. */
  expect(reply: Reply): string;
  forget(marker: string): void;
}

const headEnd = "\r\n\r\n";

/**
 * Starts the provider. It reads requests by itself and writes to the socket, because a server of `node:http` would not
 * send a malformed response.
 *
 * @param usual Response to a request without a marker, by its text.
 */
export async function startHostileUpstream(usual: (request: string) => Reply): Promise<HostileUpstream> {
  const replies = new Map<string, Reply>();
  const sockets = new Set<Socket>();
  let count = 0;

  async function answer(socket: Socket, closed: Promise<unknown>, request: string): Promise<void> {
    const [marker = ""] = /fuzz-\d+-/.exec(request) ?? [];
    const { response, end } = replies.get(marker) ?? usual(request);
    for (const write of response) {
      if (socket.destroyed) return;
      // Resolves once the kernel has the bytes, so that each write is a separate segment.
      await Promise.race([new Promise((resolve) => socket.write(writeOf(write), resolve)), closed]);
    }
    if (end === "close") socket.end();
    if (end === "reset") socket.resetAndDestroy();
  }

  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    const closed = new Promise((resolve) => socket.once("close", resolve));
    closed.then(() => sockets.delete(socket));
    let received = "";
    let answered = Promise.resolve();
    socket.setEncoding("latin1").on("data", (text: string) => {
      received += text;
      for (let length = lengthOf(received); length !== undefined; length = lengthOf(received)) {
        const request = received.slice(0, length);
        received = received.slice(length);
        answered = answered.then(() => answer(socket, closed, request));
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return {
    baseUrl: `http://127.0.0.1:${address.port}`,
    expect(reply) {
      const marker = `fuzz-${++count}-`;
      replies.set(marker, reply);
      return marker;
    },
    forget: (marker) => replies.delete(marker),
    async [Symbol.asyncDispose]() {
      const ended = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await ended;
    },
  };
}

/** Length of the first request in `text`; undefined if it is incomplete. Dragoman sends a content length. */
function lengthOf(text: string): number | undefined {
  const head = text.indexOf(headEnd);
  if (head < 0) return undefined;
  const [, digits = "0"] = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, head)) ?? [];
  const length = head + headEnd.length + Number(digits);
  return text.length < length ? undefined : length;
}
