import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer, Server as TlsServer } from "node:https";
import { type AddressInfo, Server as NetServer, type Socket } from "node:net";
import { universalRequestFromNodeRequest, universalResponseToNodeResponse } from "@connectrpc/connect-node";
import { unknownMethod } from "../../calls/call-method.ts";
import { peerAddress } from "../../calls/peer-address.ts";
import type { Config, TlsFiles } from "../../config/config.ts";
import { GatewayError } from "../../errors.ts";
import { LinkedList } from "../../linked-list.ts";
import { retryAfterMs } from "../../load/overloaded.ts";
import { clientSignal, cutOffRequest, sourceOf } from "../../surfaces/kit/http-source.ts";
import { requestPath } from "../../surfaces/kit/request-path.ts";
import { answerMs, Connections } from "../connections.ts";
import { listenError } from "../listen-problem.ts";
import { closingMs, type Listener, type Services } from "../listener.ts";
import { pathOf } from "../services/mounted-service.ts";
import { createTurns } from "../turns.ts";
import { guardBrowsers } from "./browser-guard.ts";
import { createConnectHandler } from "./connect-handler.ts";
import { answerHealthPage, isHealthPage } from "./health-pages.ts";
import { lingerAtClose } from "./lingering-close.ts";
import { createMetricsHandler, isMetricsPage } from "./metrics-page.ts";
import type { AnswerCall } from "./other-requests.ts";
import { limitTimeouts } from "./timeout-headers.ts";

/**
 * Maximum number of requests that begin in one turn of the event loop. Thousands of connections can have one at once;
 * each takes about 0.3 ms, and nobody else would be served meanwhile.
 */
const requestsPerTurn = 64;

/** Interval in ms between searches for connections whose request is not complete in time. */
const checkMs = 1_000;

/**
 * Time in ms that an idle connection stays open, unless others need its place. It must be longer than a load balancer
 * keeps it, which would else send a request on a connection that closes. Google's have the longest time, 600 s:
 * https://cloud.google.com/load-balancing/docs/https#timeouts_and_retries
 */
const keepAliveTimeout = 620_000;

/** Maximum time in ms of a TLS handshake. */
const handshakeTimeout = 10_000;

/**
 * Opens the HTTP/1.1 listener, which serves Connect (JSON and binary), gRPC-Web, the other HTTP APIs and pages.
 *
 * @param grpcAddress address of the gRPC listener, for the page `/`
 */
export async function listenHttp(
  config: Config,
  services: Services,
  grpcAddress: Listener["address"],
): Promise<Listener> {
  let ready = true;
  let closing = false;
  let leaving = false;
  const open = new LinkedList<ServerResponse>();
  let answer = createAnswer(config, services, grpcAddress);
  const connections = new Connections<ServerResponse>(config.limits, services.rejections, {
    isComplete: (response) => response.req.complete,
    close: (response) => response.destroy(),
    refuse: cutOffRequest,
  });
  const { metricsPage } = services;
  const createMetrics = (of: Config) => metricsPage && guarded(createMetricsHandler(of, metricsPage));
  let answerMetrics = createMetrics(config);
  const nextTurn = createTurns(requestsPerTurn);
  const answerRequest = guarded((request, response) => {
    if (hasUsableTarget(request)) answer(request, response);
    else sendText(response, 400, "bad request: the path or the Host header is invalid\n");
  });
  const server = createHttpServer(config, (request, response) => {
    const connection = connections.of(request.socket);
    // The client has disconnected.
    if (connection === undefined) return;
    lingerAtClose(request);
    const metrics = isMetricsPage(request) ? answerMetrics : undefined;
    const isPage = metrics !== undefined || isHealthPage(request);
    const ongoing = connections.begin(connection, response, !isPage);
    if (ongoing === undefined) {
      response.setHeader("retry-after", String(retryAfterMs / 1000));
      sendText(response, 503, "the service is overloaded: it has too many requests in progress; retry later\n");
      return;
    }
    const place = open.add(response);
    if (leaving) response.shouldKeepAlive = false;
    response.once("close", () => {
      open.delete(place);
      connections.end(ongoing);
      if (closing) server.closeIdleConnections();
    });
    if (metrics !== undefined) {
      metrics(request, response);
      return;
    }
    if (isPage) {
      const state = { isReady: ready, generation: services.generation?.() ?? 1, components: services.components };
      answerHealthPage(request, response, state).catch(() => response.destroy());
      return;
    }
    const turn = nextTurn();
    if (turn === undefined) answerRequest(request, response);
    else void turn.then(() => response.destroyed || answerRequest(request, response));
  });
  connections.guard(server);
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => {
      reject(listenError(error, config.http, { key: "http.address", variable: "DRAGOMAN_HTTP_ADDRESS" }));
    });
    server.listen(config.http.port, config.http.host, resolve);
  });
  // A server that listens on a host and port always has an AddressInfo.
  const { port } = server.address() as AddressInfo;
  return {
    address: { host: config.http.host, port },
    prepare(next) {
      const nextAnswer = createAnswer(next, services, grpcAddress);
      const nextMetrics = createMetrics(next);
      const context = next.http.tls && secureContext(next.http.tls);
      return () => {
        answer = nextAnswer;
        answerMetrics = nextMetrics;
        connections.setLimits(next.limits);
        const { headersTimeout, requestTimeout } = timeoutOptions(next);
        server.headersTimeout = headersTimeout;
        // Requests in progress may take as long as before. Later ones have the bound of their call.
        server.requestTimeout = Math.max(server.requestTimeout, requestTimeout);
        if (context !== undefined && server instanceof TlsServer) server.setSecureContext(context);
      };
    },
    stopReady() {
      ready = false;
    },
    handOver() {
      leave();
      // Stops listening. Unlike `server.close`, this leaves idle connections open, on which a request may be on its way.
      NetServer.prototype.close.call(server);
    },
    rejectNew() {
      leave();
      closing = true;
      if (server.listening) server.close();
      else server.closeIdleConnections();
    },
    close() {
      return new Promise((resolve) => {
        const timer = setTimeout(() => server.closeAllConnections(), closingMs);
        server.close(() => {
          clearTimeout(timer);
          // Calls with an incomplete request receive the disconnect at the end of this event loop turn. Wait until they
          // have written their records.
          setImmediate(() => setImmediate(resolve));
        });
      });
    },
  };

  /** Tells the clients that each response is the last one of its connection. */
  function leave(): void {
    leaving = true;
    for (const response of open) response.shouldKeepAlive = false;
  }
}

/** Creates the listener for all requests but those of health pages and metrics. */
function createAnswer(config: Config, services: Services, grpcAddress: Listener["address"]): RequestListener {
  const answerCall = createCallHandler(config, services);
  const paths = new Set(services.mounted.flatMap(({ methods }) => methods.map(({ method }) => pathOf(method))));
  // The other HTTP APIs have 125 modules, and many services never get a request for them.
  let created: RequestListener | undefined;
  const answerOther = async (request: IncomingMessage, response: ServerResponse) => {
    const { createOtherHandler } = await import("./other-requests.ts");
    created ??= guarded(createOtherHandler(config, services, grpcAddress, answerCall));
    if (!response.destroyed) created(request, response);
  };
  return guardBrowsers(config, (request, response) => {
    if (paths.has(requestPath(request))) answerCall(request, response);
    else if (created !== undefined) created(request, response);
    else {
      answerOther(request, response).catch((error: unknown) => {
        const fault = new GatewayError("INTERNAL", "an internal error occurred", { cause: error });
        services.calls.reject(sourceOf(request, response), unknownMethod, fault);
        answerFault(response);
      });
    }
  });
}

/**
 * Creates the handler of Connect and gRPC-Web calls. It replaces `connectNodeAdapter`, which prints every client
 * disconnect to the console.
 */
function createCallHandler(config: Config, services: Services): AnswerCall {
  const answerCall = createConnectHandler(config, services);
  return (request, response) => {
    limitTimeouts(request.headers, config.limits.maxCallMs);
    const body = readBody(request, response, config.limits.maxRequestBytes);
    const call = { ...universalRequestFromNodeRequest(request, response, undefined, undefined), body };
    const answer = answerCall(requestPath(request), call, {
      address: peerAddress(request.socket.remoteAddress),
      signal: clientSignal(request, response),
    });
    if (answer === undefined) return false;
    releaseHandlerOnClose(response);
    answer
      .then((universal) => universalResponseToNodeResponse(universal, response))
      // The promise rejects only if the client has disconnected: errors of a call are in its response.
      .catch(() => response.destroy());
    return true;
  };
}

/** Catches exceptions of a listener, which would otherwise end the process. */
function guarded(listener: RequestListener): RequestListener {
  return (request, response) => {
    try {
      listener(request, response);
    } catch {
      answerFault(response);
    }
  };
}

function answerFault(response: ServerResponse): void {
  if (response.headersSent) response.destroy();
  else sendText(response, 500, "an internal error occurred\n");
}

function createHttpServer(config: Config, answer: RequestListener): Server {
  const { tls } = config.http;
  const listener = guarded(answer);
  const options = {
    noDelay: true,
    keepAliveTimeout,
    ...timeoutOptions(config),
    connectionsCheckingInterval: checkMs,
  };
  if (tls === undefined) return sendContinue(createServer(options, listener), listener);
  const tlsOptions = { ...options, handshakeTimeout, ...secureContext(tls) };
  const clients = tls.clientAuthority && { requestCert: true, rejectUnauthorized: true };
  const server = createTlsServer({ ...tlsOptions, ...clients }, listener).on("secureConnection", parseFromStream);
  return sendContinue(server, listener);
}

/** Calls end after `maxRequestMs` with an error; these close connections on which that is not possible. */
function timeoutOptions({ limits }: Config) {
  return { headersTimeout: limits.maxRequestMs, requestTimeout: limits.maxRequestMs + answerMs };
}

function secureContext({ certificate: cert, key, clientAuthority: ca }: TlsFiles) {
  return { cert, key, ...(ca && { ca }) };
}

/**
 * Lets the parser of a TLS connection read from the stream of its socket. Node's default connects it directly to TLS.
 * While the client has not read an earlier response, Node pauses the parser, but TLS passes on each record that has
 * arrived already: the parser fails with HPE_PAUSED, and the connection closes. A stream keeps these records until
 * then.
 */
function parseFromStream(socket: Socket): void {
  // Node disconnects the parser from TLS when the socket gets a listener for `data`.
  socket.on("data", () => {});
}

/**
 * Sends `100 Continue` when it is the response's turn, unless the final response waits too. Node's default queues it
 * behind the earlier responses of the connection, and can then send the headers of the final response before it and the
 * body after it.
 */
function sendContinue(server: Server, listener: RequestListener): Server {
  return server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => {
    const proceed = (): void => {
      if (!response.headersSent) response.writeContinue();
    };
    if (response.socket === null) response.once("socket", proceed);
    else proceed();
    listener(request, response);
  });
}

/**
 * Reads the body of a request and keeps the connection open if connect-node rejects the request early. Node's default
 * iterator would destroy the connection before the client receives the error. Discards the rest of the body, but
 * closes the connection if the rest exceeds `limit` bytes.
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
 * Emits an error on a closed response, so that a suspended handler ends. If a client stops reading, connect-node waits
 * for `drain` or `error`. If that client then disconnects, Node emits neither.
 */
function releaseHandlerOnClose(response: ServerResponse): void {
  response.once("close", () => {
    if (response.writableFinished || response.listenerCount("error") === 0) return;
    response.emit("error", Object.assign(new Error("the client closed the connection"), { code: "ECONNRESET" }));
  });
}

/** Sends a text response and closes the connection. */
function sendText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8", connection: "close" });
  response.end(text);
}

/** Whether the request target and the Host header together form a URL. HTTP/1.0 requests may have no Host header. */
function hasUsableTarget({ url = "", headers: { host = "" } }: IncomingMessage): boolean {
  return URL.canParse(`http://${host}`) && URL.canParse(url, `http://${host}`);
}
