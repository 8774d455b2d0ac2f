import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { universalRequestFromNodeRequest, universalResponseToNodeResponse } from "@connectrpc/connect-node";
import type { Config } from "../../config/config.ts";
import { clientSignal } from "../../surfaces/kit/http-source.ts";
import { closingMs, type Listener, type Services } from "../listener.ts";
import { createConnectHandler } from "./connect-handler.ts";
import { limitTimeouts } from "./timeout-headers.ts";

/** Serves Connect (JSON and binary) and gRPC-Web over HTTP/1.1, the surfaces, and plain health pages. */
export async function listenHttp(config: Config, services: Services): Promise<Listener> {
  let ready = true;
  let closing = false;
  const answerCall = createCallHandler(config, services);
  const server = createHttpServer(config, (request, response) => {
    response.once("close", () => {
      if (closing) server.closeIdleConnections();
    });
    if (answerPage(request, response, ready)) return;
    if (!hasUsableTarget(request)) {
      sendText(response, 400, "bad request: the path or the Host header is not usable\n");
      return;
    }
    if (!services.surfaces(request, response)) answerCall(request, response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(config.http.port, config.http.host, resolve);
  });
  // listen() on a host and port always gives an address of this form.
  const { port } = server.address() as AddressInfo;
  return {
    address: { host: config.http.host, port },
    stopReady() {
      ready = false;
    },
    rejectNew() {
      closing = true;
      server.close();
    },
    close() {
      return new Promise((resolve) => {
        const timer = setTimeout(() => server.closeAllConnections(), closingMs);
        server.close(() => {
          clearTimeout(timer);
          // Calls whose request is cut off by this hear of it at the end of this turn, and write their records then.
          setImmediate(() => setImmediate(resolve));
        });
      });
    },
  };
}

/**
 * Answers calls, as connectNodeAdapter does, which it replaces because that one reports every client that goes away on
 * the console.
 */
function createCallHandler(config: Config, services: Services): RequestListener {
  const answerCall = createConnectHandler(config, services);
  return (request, response) => {
    limitTimeouts(request.headers, config.limits.maxCallMs);
    const body = readBody(request, response, config.limits.maxRequestBytes);
    const call = { ...universalRequestFromNodeRequest(request, response, undefined, undefined), body };
    const answer = answerCall(pathOf(request), call, clientSignal(request, response));
    if (answer === undefined) {
      const text = "not found: POST /dragoman.v1.ChatService/CompleteChat, or GET /healthz or /readyz\n";
      response.writeHead(404, { "content-type": "text/plain; charset=utf-8" });
      response.end(text);
      return;
    }
    releaseHandlerOnClose(response);
    answer
      .then((universal) => universalResponseToNodeResponse(universal, response))
      // Every error of a call is in its answer and in its record; what is left here is a client that is gone.
      .catch(() => response.destroy());
  };
}

function createHttpServer(config: Config, answer: RequestListener): Server {
  const { tls } = config.http;
  // Node reports what this throws as an uncaught exception, which would end the process.
  const listener: RequestListener = (request, response) => {
    try {
      answer(request, response);
    } catch {
      if (response.headersSent) response.destroy();
      else sendText(response, 500, "an internal error occurred\n");
    }
  };
  if (tls === undefined) return createServer({ noDelay: true }, listener);
  const { certificate: cert, key, clientAuthority: ca } = tls;
  return createTlsServer(
    { noDelay: true, cert, key, ...(ca && { ca, requestCert: true, rejectUnauthorized: true }) },
    listener,
  );
}

/**
 * The body of a request, which stays open when connect-node rejects it half-read: destroying it, as its own iterator
 * does, cuts the connection before the client has seen the refusal. What is left is discarded, within the limit.
 */
async function* readBody(
  request: IncomingMessage,
  response: ServerResponse,
  limit: number,
): AsyncGenerator<Uint8Array> {
  response.once("finish", () => {
    let discarded = 0;
    request.on("data", (chunk: Buffer) => {
      discarded += chunk.length;
      if (discarded > limit) request.destroy();
    });
  });
  yield* request.iterator({ destroyOnReturn: false });
}

/**
 * connect-node waits for `drain` or `error` when a client does not read, and sees neither when that client goes away:
 * the handler would stay suspended for ever. An error on the closed response lets it end.
 */
function releaseHandlerOnClose(response: ServerResponse): void {
  response.once("close", () => {
    if (response.writableFinished || response.listenerCount("error") === 0) return;
    response.emit("error", Object.assign(new Error("the client closed the connection"), { code: "ECONNRESET" }));
  });
}

/** Answers the probes of load balancers and orchestrators; false when the path is none of theirs. */
function answerPage(request: IncomingMessage, response: ServerResponse, ready: boolean): boolean {
  if (request.method !== "GET" && request.method !== "HEAD") return false;
  const path = pathOf(request);
  if (path !== "/healthz" && path !== "/readyz") return false;
  const stopping = path === "/readyz" && !ready;
  response.writeHead(stopping ? 503 : 200, { "content-type": "text/plain; charset=utf-8" });
  response.end(stopping ? "stopping\n" : "ok\n");
  return true;
}

/** Sends a text as the whole answer and closes the connection. */
function sendText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8", connection: "close" });
  response.end(text);
}

/** Whether the request target and the Host header together are a URL. HTTP/1.0 requests may have no Host header. */
function hasUsableTarget({ url = "", headers: { host = "" } }: IncomingMessage): boolean {
  return URL.canParse(`http://${host}`) && URL.canParse(url, `http://${host}`);
}

/** The path of a request whose target is a path, or a whole URL as proxies send it (RFC 9112, section 3.2.2). */
function pathOf({ url = "" }: IncomingMessage): string {
  const [path = ""] = url.split("?", 1);
  return path.startsWith("/") ? path : (URL.parse(url)?.pathname ?? path);
}
