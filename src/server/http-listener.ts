import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import type { Config } from "../config/config.ts";
import { ChatService } from "../gen/dragoman/v1/chat_service_pb.js";
import { ModelService } from "../gen/dragoman/v1/model_service_pb.js";
import { closingMs, type Listener, type Services } from "./listener.ts";

/** Serves Connect (JSON and binary) and gRPC-Web over HTTP/1.1, and plain health pages. */
export async function listenHttp(config: Config, services: Services): Promise<Listener> {
  let ready = true;
  let closing = false;
  const adapter = connectNodeAdapter({
    routes(router) {
      router.service(ChatService, services.chat);
      router.service(ModelService, services.models);
    },
    grpc: false,
    requestGate: services.gate,
    readMaxBytes: config.limits.maxRequestBytes,
    // A misspelt field must not vanish.
    jsonOptions: { ignoreUnknownFields: false },
  });
  const server = createHttpServer(config, (request, response) => {
    response.once("close", () => {
      if (closing) server.closeIdleConnections();
    });
    if (answerPage(request, response, ready)) return;
    releaseHandlerOnClose(response);
    adapter(request, response);
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
    refuseNew() {
      closing = true;
      server.close();
    },
    close() {
      return new Promise((resolve) => {
        const timer = setTimeout(() => server.closeAllConnections(), closingMs);
        server.close(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    },
  };
}

function createHttpServer(config: Config, listener: RequestListener): Server {
  const { tls } = config.http;
  if (tls === undefined) return createServer({ noDelay: true }, listener);
  const { certificate: cert, key, clientAuthority: ca } = tls;
  return createTlsServer(
    { noDelay: true, cert, key, ...(ca && { ca, requestCert: true, rejectUnauthorized: true }) },
    listener,
  );
}

/**
 * connect-node waits for `drain` or `error` when a client does not read, and sees neither when that client goes away:
 * the handler would stay suspended for ever. An error on the closed response lets it end. It takes ECONNRESET for a
 * client that went away, and reports every other code on the console.
 */
function releaseHandlerOnClose(response: ServerResponse): void {
  const gone = { code: "ECONNRESET" };
  response.on("error", (error) => Object.assign(error, gone));
  response.once("close", () => {
    const waiting = response.listenerCount("error") > 1;
    if (waiting && !response.writableFinished) {
      response.emit("error", Object.assign(new Error("the client closed the connection"), gone));
    }
  });
}

/** Answers the probes of load balancers and orchestrators; false when the path is none of theirs. */
function answerPage(request: IncomingMessage, response: ServerResponse, ready: boolean): boolean {
  if (request.method !== "GET" && request.method !== "HEAD") return false;
  const path = request.url?.split("?")[0];
  if (path !== "/healthz" && path !== "/readyz") return false;
  const stopping = path === "/readyz" && !ready;
  response.writeHead(stopping ? 503 : 200, { "content-type": "text/plain; charset=utf-8" });
  response.end(stopping ? "stopping\n" : "ok\n");
  return true;
}
