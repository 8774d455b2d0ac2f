import { constants, type Http2Server, type Http2Session, type ServerHttp2Stream } from "node:http2";
import type { Config } from "../../config/config.ts";
import { overloaded } from "../../load/overloaded.ts";
import type { Rejections } from "../../load/rejections.ts";
import { ignoreError, releaseStream } from "../../release-stream.ts";
import { type Connection, Connections, type Duration } from "../connections.ts";
import { createTurns } from "../turns.ts";
import { rejectUnbegun, type StreamListener } from "./reject-stream.ts";

/**
 * Maximum size of the request headers (metadata) in bytes, as HTTP/2 counts it: 32 more for each field. Clients learn
 * it when they connect. Many reject a larger call themselves; Dragoman resets it. A single field above 64 KiB ends the
 * whole connection, which nghttp2 does not let Dragoman prevent: https://github.com/nodejs/node/issues/35218
 */
const maxHeaderListSize = 32 * 1024;

/** Options of Node.js for the connections. */
export const sessionOptions = {
  // Maximum number of request headers, so that only their size counts.
  maxHeaderListPairs: maxHeaderListSize / 32,
  // Number of calls that a client may cancel at once, and each second after that. Beyond it, Node.js closes the
  // connection. Its default of 1000 and 33 cuts off a backend that sends all its calls over one connection and cancels
  // some of them.
  streamResetBurst: 10_000,
  streamResetRate: 1000,
};

/**
 * Maximum number of streams that begin in one turn of the event loop. A client can send thousands at once; each takes
 * about 0.2 ms, and nobody else would be served meanwhile.
 */
const streamsPerTurn = 64;

/** The HTTP/2 connections of the gRPC listener: their bounds. */
export class Sessions {
  readonly #connections: Connections<ServerHttp2Stream>;
  readonly #servers = new Set<Http2Server>();
  readonly #openPaths: ReadonlyMap<string, Duration>;
  readonly #nextTurn = createTurns(streamsPerTurn);
  readonly #sessions = new WeakMap<Http2Session, Connection>();

  /**
   * @param openPaths Paths that need no API key, and how long a request may take.
   */
  constructor(limits: Config["limits"], rejections: Rejections, openPaths: ReadonlyMap<string, Duration>) {
    this.#openPaths = openPaths;
    this.#connections = new Connections(limits, rejections, {
      isComplete: (stream) => stream.readableEnded,
      close: (stream) => stream.close(constants.NGHTTP2_CANCEL),
      // Clients may send a call again that the server refused (RFC 9113, section 8.7).
      refuse: (stream) => stream.close(constants.NGHTTP2_REFUSED_STREAM),
    });
  }

  /** Installs the bounds on connections in a server. */
  guard(server: Http2Server): void {
    server.updateSettings({ maxHeaderListSize });
    this.#servers.add(server);
    this.#connections.guard(server);
    server.on("session", (session) => {
      const connection = this.#connections.of(session.socket);
      if (connection === undefined) return;
      const { close } = connection;
      const closeSession = (): void => {
        session.close();
        // After GOAWAY was written. The client need not close its side.
        setImmediate(close);
      };
      connection.close = closeSession;
      this.#sessions.set(session, connection);
    });
  }

  /** Changes the bounds, for later connections also that on concurrent streams. */
  setLimits(limits: Config["limits"]): void {
    this.#connections.setLimits(limits);
    for (const server of this.#servers) server.updateSettings({ maxConcurrentStreams: limits.maxConcurrentStreams });
  }

  /** Wraps a stream listener. Rejects streams above the bounds with OVERLOADED. */
  bound(next: StreamListener): StreamListener {
    return (stream, headers) => {
      // A stream reset would otherwise end the process. The `close` event follows.
      stream.on("error", ignoreError);
      const { ":path": path = "" } = headers;
      const duration = this.#openPaths.get(path);
      const connection = stream.session && this.#sessions.get(stream.session);
      // The connection has closed.
      if (connection === undefined) return;
      const ongoing = this.#connections.begin(connection, stream, duration === undefined, duration);
      if (ongoing === undefined) {
        rejectUnbegun(stream, headers, overloaded("streams", "it has too many calls in progress"));
        return;
      }
      stream.once("close", () => {
        this.#connections.end(ongoing);
        // The other listeners of this event still run.
        releaseStream(stream);
      });
      const turn = this.#nextTurn();
      if (turn === undefined) next(stream, headers);
      else void turn.then(() => stream.destroyed || next(stream, headers));
    };
  }
}
