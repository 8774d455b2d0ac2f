import { once } from "node:events";
import {
  createSecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from "node:http2";
import { createServer as createHttps } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { type Certificate, temporaryCertificate } from "./certificates.ts";

/** A request that the server got. */
export interface Http2Exchange {
  readonly request: Http2ServerRequest;
  readonly response: Http2ServerResponse;
  /** Number of the connection, from 1. */
  readonly connection: number;
  /** The whole body. */
  readonly body: string;
  /** Resolves with the code of RST_STREAM, or undefined, when the stream closes. HTTP/1.1: when the response closes. */
  readonly closed: Promise<number | undefined>;
}

export interface Http2Upstream extends AsyncDisposable {
  readonly baseUrl: string;
  readonly port: number;
  /** Complete requests so far. */
  readonly exchanges: readonly Http2Exchange[];
  /** Connections so far, with TLS. */
  readonly connections: number;
  readonly openConnections: number;
  readonly sessions: readonly ServerHttp2Session[];
  readonly sockets: readonly TLSSocket[];
  /** Resolves when there are this many requests. */
  arrived(count: number): Promise<Http2Exchange>;
}

interface Options {
  /** SETTINGS_MAX_CONCURRENT_STREAMS. */
  readonly maxConcurrentStreams?: number;
  /** The server speaks only HTTP/1.1. */
  readonly onlyHttp1?: boolean;
  readonly certificate?: Certificate;
  readonly host?: string;
  readonly port?: number;
}

/** Makes Node.js trust a certificate. Returns the function that ends this. */
export function trust({ certificate }: Certificate): () => void {
  const before = getCACertificates("default");
  setDefaultCACertificates([...before, certificate.toString()]);
  return () => setDefaultCACertificates(before);
}

/** Starts a provider with TLS that speaks HTTP/2, and HTTP/1.1 to clients that do not. Calls `serve` for each request. */
export async function startHttp2Upstream(
  serve: (exchange: Http2Exchange, index: number) => void | Promise<void>,
  {
    maxConcurrentStreams,
    onlyHttp1 = false,
    certificate = temporaryCertificate(),
    host = "127.0.0.1",
    port = 0,
  }: Options = {},
): Promise<Http2Upstream> {
  const exchanges: Http2Exchange[] = [];
  const waiters: { readonly count: number; readonly resolve: (exchange: Http2Exchange) => void }[] = [];
  const numbers = new Map<unknown, number>();
  const sessions: ServerHttp2Session[] = [];
  const sockets: TLSSocket[] = [];
  let connections = 0;
  let openConnections = 0;
  const raw = new Set<Socket>();

  const files = { cert: certificate.certificate, key: certificate.key };
  // Only the parts that both have are used.
  const create = (onlyHttp1 ? createHttps : createSecureServer) as typeof createSecureServer;
  const server = create({
    ...files,
    allowHTTP1: true,
    ...(maxConcurrentStreams !== undefined && { settings: { maxConcurrentStreams } }),
  });
  server.on("connection", (socket: Socket) => raw.add(socket.on("error", () => {})));
  server.on("secureConnection", (socket: TLSSocket) => {
    numbers.set(`${socket.remotePort}`, ++connections);
    openConnections++;
    sockets.push(socket);
    socket.on("error", () => {}).once("close", () => openConnections--);
  });
  server.on("session", (session) => {
    sessions.push(session.on("error", () => {}));
  });
  server.on("request", async (request: Http2ServerRequest, response: Http2ServerResponse) => {
    const connection = numbers.get(`${request.socket.remotePort}`) ?? 0;
    request.on("error", () => {});
    response.on("error", () => {});
    const closed = new Promise<number | undefined>((resolve) => {
      if (request.httpVersionMajor === 2) request.stream.once("close", () => resolve(request.stream.rstCode));
      else response.once("close", () => resolve(undefined));
    });
    let body = "";
    try {
      for await (const chunk of request.setEncoding("utf8")) body += chunk;
    } catch {
      return;
    }
    const exchange = { request, response, connection, body, closed };
    exchanges.push(exchange);
    for (const waiter of waiters) if (waiter.count === exchanges.length) waiter.resolve(exchange);
    await serve(exchange, exchanges.length - 1);
  });
  await once(server.listen(port, host), "listening");
  const address = server.address() as AddressInfo;
  return {
    baseUrl: `https://127.0.0.1:${address.port}`,
    port: address.port,
    exchanges,
    sessions,
    sockets,
    get connections() {
      return connections;
    },
    get openConnections() {
      return openConnections;
    },
    arrived(count) {
      const known = exchanges[count - 1];
      return known ? Promise.resolve(known) : new Promise((resolve) => waiters.push({ count, resolve }));
    },
    async [Symbol.asyncDispose]() {
      for (const session of sessions) session.destroy();
      for (const socket of raw) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
