import type { buildConnector, Dispatcher, Pool } from "undici";
import { Http2Connection, type Http2Limits } from "./http2-connection.ts";
import { Http2Request, type TextRequest } from "./http2-stream.ts";

type Socket = NonNullable<Parameters<buildConnector.Callback>[1]>;

interface Options extends Http2Limits {
  readonly url: URL;
  /** Connects with TLS, and offers HTTP/2. */
  readonly connect: buildConnector.connector;
  /** Serves the requests if the server does not speak HTTP/2. */
  readonly http1: Pool;
  /** Gets the connection on which the server selected HTTP/1.1. */
  readonly onHttp1: (socket: Socket) => void;
  readonly maxConnections: number;
}

/**
 * Connections to a provider with HTTP/2, which requests share. A request waits if all connections have as many streams
 * as the server allows, and a further connection opens for it. If the server does not speak HTTP/2, all requests use
 * HTTP/1.1, and after `maxAgeMs` one asks again.
 *
 * Dragoman does not use undici's HTTP/2, because after a GOAWAY in 8.12.4 requests wait until all streams of the old
 * connection have ended.
 */
export class Http2Pool {
  readonly #options: Options;
  readonly #connections = new Set<Http2Connection>();
  /** Connections that serve their last requests. */
  readonly #retired = new Set<Http2Connection>();
  readonly #waiting = new Set<Http2Request>();
  #isConnecting = false;
  #isDestroyed = false;
  #http1UntilMs = 0;

  constructor(options: Options) {
    this.#options = options;
  }

  /** Sends a request. Calls the handler as undici does. */
  dispatch(options: TextRequest, handler: Dispatcher.DispatchHandler): void {
    if (performance.now() < this.#http1UntilMs) {
      this.#options.http1.dispatch(options, handler);
      return;
    }
    const request = new Http2Request(this.#options.url, options, handler, this.#leave);
    request.begin();
    if (request.aborted) return;
    const connection = this.#connectionWithRoom();
    if (connection === undefined) this.#wait(request);
    else connection.send(request);
  }

  /** Aborts the requests in progress and closes all connections. */
  async destroy(): Promise<void> {
    this.#isDestroyed = true;
    const error = Object.assign(new Error("the connections were closed"), { code: "UND_ERR_DESTROYED" });
    for (const request of this.#waiting) request.fail(error);
    this.#waiting.clear();
    for (const connection of [...this.#connections, ...this.#retired]) connection.destroy();
    await this.#options.http1.destroy();
  }

  readonly #leave = (request: Http2Request): void => void this.#waiting.delete(request);

  #connectionWithRoom(): Http2Connection | undefined {
    for (const connection of this.#connections) if (connection.hasRoom) return connection;
    return undefined;
  }

  #wait(request: Http2Request): void {
    this.#waiting.add(request);
    this.#connectIfNeeded();
  }

  /** Opens a connection for the waiting requests, unless one opens already or has not told its limit yet. */
  #connectIfNeeded(): void {
    const { maxConnections } = this.#options;
    if (this.#waiting.size === 0 || this.#isConnecting || this.#isDestroyed) return;
    if ([...this.#connections].some(({ isNew }) => isNew) || this.#connections.size >= maxConnections) return;
    this.#connect();
  }

  #connect(): void {
    const { url, connect } = this.#options;
    const { host, hostname, protocol, port } = url;
    this.#isConnecting = true;
    connect({ host, hostname: hostname.replace(/^\[|\]$/g, ""), protocol, port }, (...[error, socket]) => {
      this.#isConnecting = false;
      if (error !== null) this.#onConnectError(error);
      else if (this.#isDestroyed) socket.destroy();
      else if ("alpnProtocol" in socket && socket.alpnProtocol === "h2") this.#add(socket);
      else this.#fallBack(socket);
    });
  }

  #add(socket: Socket): void {
    const connection = new Http2Connection(this.#options.url, socket, this.#options, {
      onRoom: () => this.#serveWaiting(),
      onClosing: (closing) => {
        this.#connections.delete(closing);
        if (!socket.destroyed) {
          this.#retired.add(closing);
          socket.once("close", () => this.#retired.delete(closing));
        }
        this.#serveWaiting();
      },
      onRepeat: (request, fresh) => {
        request.isRepeated = true;
        this.#waiting.add(request);
        // Other connections that were unused as long may be stale too.
        if (fresh) for (const other of this.#connections) other.retire();
        this.#serveWaiting();
      },
    });
    this.#connections.add(connection);
    this.#serveWaiting();
  }

  #serveWaiting(): void {
    for (const request of this.#waiting) {
      const connection = this.#connectionWithRoom();
      if (connection === undefined) break;
      // A connection that turns out to be too old serves the waiting requests elsewhere.
      if (this.#waiting.delete(request)) connection.send(request);
    }
    this.#connectIfNeeded();
  }

  #fallBack(socket: Socket): void {
    const { http1, onHttp1, maxAgeMs } = this.#options;
    this.#http1UntilMs = performance.now() + maxAgeMs;
    if (this.#waiting.size === 0) socket.destroy();
    else onHttp1(socket);
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const request of waiting) request.dispatchTo(http1);
  }

  /** Fails the waiting requests, unless other connections can serve them later. */
  #onConnectError(error: Error): void {
    if (this.#connections.size > 0) return;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const request of waiting) request.fail(error);
  }
}
