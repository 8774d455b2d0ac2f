import { once } from "node:events";
import { createServer } from "node:http";
import { connect, type Socket } from "node:net";

/** HTTP proxy for tests. */
export interface TestProxy extends AsyncDisposable {
  readonly port: number;
  /** Authorities that clients have requested with CONNECT. */
  readonly connects: readonly string[];
  /** Values of `proxy-authorization`, in the same order. */
  readonly authorizations: readonly string[];
}

/** Starts a proxy that opens tunnels, or that answers every CONNECT with a status. 0: it never answers. */
export async function startProxy(status = 200): Promise<TestProxy> {
  const connects: string[] = [];
  const authorizations: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((_, response) => response.writeHead(501).end());
  server.on("connection", (socket) => sockets.add(socket.on("error", () => {})));
  server.on("connect", ({ url = "", headers }, client: Socket) => {
    connects.push(url);
    authorizations.push(headers["proxy-authorization"] ?? "");
    if (status === 0) return;
    if (status !== 200) {
      client.end(`HTTP/1.1 ${status} No\r\ncontent-length: 0\r\n\r\n`);
      return;
    }
    const { hostname, port } = new URL(`http://${url}`);
    const upstream = connect(Number(port || 80), hostname.replace(/^\[|\]$/g, ""), () => {
      client.write("HTTP/1.1 200 Connection established\r\n\r\n");
      upstream.pipe(client).pipe(upstream);
    });
    sockets.add(upstream.on("error", () => client.destroy()));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the proxy has no port");
  return {
    port: address.port,
    connects,
    authorizations,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await once(server.close(), "close");
    },
  };
}
