import { type ClientHttp2Session, connect } from "node:http2";
import type { buildConnector } from "undici";
import type { Http2Request } from "./http2-stream.ts";

type Socket = NonNullable<Parameters<buildConnector.Callback>[1]>;

/** Maximum streams of a connection, if the server allows more. One packet that gets lost delays all of them. */
const mostStreams = 100;
/** Bytes of a response that may arrive before Dragoman reads them. Node.js' default of 64 KiB slows distant servers. */
const windowBytes = 256 * 1024;

/**
 * Maximum memory of a connection in MB. `limits.max_bytes_in_flight` and the windows bound it: Node.js' default of 10
 * would reject streams while other requests send large prompts.
 */
const maxSessionMemory = 4096;

export interface Http2Limits {
  /** Time in ms after which a connection serves no new request. */
  readonly maxAgeMs: number;
  /** Time in ms that an unused connection stays open. */
  readonly maxIdleMs: number;
  /** Interval of pings in ms. A connection that does not answer one until the next is dead. */
  readonly pingMs: number;
}

interface Events {
  /** The connection can serve requests, or more than before. */
  onRoom(connection: Http2Connection): void;
  /** The connection serves no new request. */
  onClosing(connection: Http2Connection): void;
  /** A request must be sent again, on a new connection if `fresh`. */
  onRepeat(request: Http2Request, fresh: boolean): void;
}

/** One HTTP/2 connection, which serves several requests at once. */
export class Http2Connection {
  readonly #session: ClientHttp2Session;
  readonly #socket: Socket;
  readonly #limits: Http2Limits;
  readonly #events: Events;
  readonly #bornMs = performance.now();
  #streams = 0;
  #hasSettings = false;
  #hasServed = false;
  #isClosing = false;
  #idleTimer: NodeJS.Timeout | undefined;
  readonly #pings: NodeJS.Timeout;

  constructor(url: URL, socket: Socket, limits: Http2Limits, events: Events) {
    this.#socket = socket;
    this.#limits = limits;
    this.#events = events;
    const settings = { enablePush: false, initialWindowSize: windowBytes };
    const session = connect(url, { createConnection: () => socket, settings, maxSessionMemory });
    this.#session = session;
    session.on("remoteSettings", () => {
      this.#hasSettings = true;
      this.#rest();
      events.onRoom(this);
    });
    session.on("goaway", () => this.retire());
    session.on("error", () => {});
    session.once("close", () => {
      clearInterval(this.#pings);
      this.retire();
    });
    this.#pings = this.#startPings();
    // The first request need not wait for the settings of the server.
    this.#rest();
  }

  /** Whether it can serve one more request now. */
  get hasRoom(): boolean {
    if (this.#isClosing) return false;
    const isGone = this.#session.closed || this.#session.destroyed;
    if (isGone || performance.now() - this.#bornMs >= this.#limits.maxAgeMs) {
      this.retire();
      return false;
    }
    const allowed = this.#hasSettings ? (this.#session.remoteSettings.maxConcurrentStreams ?? mostStreams) : 1;
    return this.#streams < Math.min(allowed, mostStreams);
  }

  /** Whether it has opened no stream before the server's settings, so that it may soon have more room. */
  get isNew(): boolean {
    return !this.#hasSettings && !this.#isClosing;
  }

  send(request: Http2Request): void {
    const { bytesRead } = this.#socket;
    const mayBeStale = this.#hasServed;
    clearTimeout(this.#idleTimer);
    try {
      request.send(this.#session, (end, error) => {
        this.#streams--;
        this.#rest();
        if (end === "complete") {
          this.#hasServed = true;
          request.complete();
        } else {
          // The provider has most likely closed the connection while it was unused: no byte came since the request.
          const isStale = mayBeStale && this.#socket.destroyed && this.#socket.bytesRead === bytesRead;
          const canRepeat = !request.aborted && !request.hasHeaders && !request.isRepeated;
          // RFC 9113, section 8.7: a request that a server refused was not processed, and is sent again at most once.
          if (canRepeat && (end === "unprocessed" || isStale)) this.#events.onRepeat(request, isStale);
          else request.fail(error);
        }
        if (!this.#isClosing) this.#events.onRoom(this);
      });
      this.#streams++;
    } catch (error) {
      this.#rest();
      this.#onRejected(request, error as Error);
    }
  }

  /** Node.js rejects a request after a GOAWAY of which the event has not come yet, and one with an invalid header. */
  #onRejected(request: Http2Request, error: Error): void {
    const code = "code" in error ? error.code : "";
    const isGone = code === "ERR_HTTP2_GOAWAY_SESSION" || code === "ERR_HTTP2_INVALID_SESSION";
    if (isGone && !request.isRepeated) {
      this.retire();
      this.#events.onRepeat(request, false);
    } else request.fail(error);
  }

  /** Serves no new request. Closes when the running ones have ended. */
  retire(): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    clearTimeout(this.#idleTimer);
    this.#session.close();
    this.#events.onClosing(this);
  }

  destroy(): void {
    this.retire();
    this.#session.destroy();
    this.#socket.destroy();
  }

  /** Closes the connection if nobody uses it for some time. */
  #rest(): void {
    if (this.#streams > 0 || this.#isClosing) return;
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => this.retire(), this.#limits.maxIdleMs).unref();
  }

  /** Without pings, a connection that the network lost would fail each request only by its timeout. */
  #startPings(): NodeJS.Timeout {
    let isAnswered = true;
    return setInterval(() => {
      if (this.#session.destroyed) return;
      if (!isAnswered) {
        const error = new Error("the server did not answer a ping");
        this.#session.destroy(Object.assign(error, { code: "PING_TIMEOUT" }));
        return;
      }
      isAnswered = false;
      this.#session.ping((error) => {
        isAnswered ||= error === null;
      });
    }, this.#limits.pingMs).unref();
  }
}
