import { constants, type Http2Server, type Http2Session, type ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { TLSSocket } from "node:tls";
import type { Config } from "../../config/config.ts";
import { overloaded } from "../../load/overloaded.ts";
import type { Rejections } from "../../load/rejections.ts";
import { type Connection, Connections, type Duration } from "../connections.ts";
import { createTurns } from "../turns.ts";
import { rejectUnbegun, type StreamListener } from "./access.ts";

/**
 * Maximum size of the request headers (metadata) in bytes, as HTTP/2 counts it: 32 more for each field. Clients learn it
 * when they connect. Many reject a larger call themselves; Dragoman resets it.
 */
const maxHeaderListSize = 32 * 1024;

/** Maximum number of request headers, so that only their size counts. */
export const maxHeaderListPairs = maxHeaderListSize / 32;

/**
 * Maximum number of streams that begin in one turn of the event loop. A client can send thousands at once; each takes
 * about 0.2 ms, and nobody else would be served meanwhile.
 */
const streamsPerTurn = 64;

/**
 * GOAWAY frame that tells a client to make no more calls on a connection, but still accepts calls that are on their way:
 * its last stream id is the maximum (RFC 9113, section 6.8). Written by hand, because `session.goaway` makes Node close
 * an idle connection at once.
 */
const shutdownNotice = Buffer.from([0, 0, 8, 7, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0]);

/** Time in ms to wait for a client's answer to a ping. */
const pingMs = 1000;

/** The HTTP/2 connections of the gRPC listener: their bounds, and how they end. */
export class Sessions {
  readonly #connections: Connections<ServerHttp2Stream>;
  readonly #openPaths: ReadonlyMap<string, Duration>;
  readonly #nextTurn = createTurns(streamsPerTurn);
  readonly #sessions = new Map<Http2Session, Connection>();

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
    this.#connections.guard(server);
    server.on("secureConnection", (tls: TLSSocket) => {
      const connection = this.#connections.of(tls);
      if (connection !== undefined) connection.stream = tls;
    });
    server.on("session", (session) => {
      const connection = this.#connections.of(session.socket);
      if (connection === undefined) return;
      const { close } = connection;
      connection.close = () => {
        session.close();
        // After GOAWAY was written. The client need not close its side.
        setImmediate(close);
      };
      this.#sessions.set(session, connection);
      session.once("close", () => this.#sessions.delete(session));
    });
  }

  /** Wraps a stream listener. Rejects streams above the bounds with OVERLOADED. */
  bound(next: StreamListener): StreamListener {
    return (stream, headers) => {
      // A stream reset would otherwise end the process. The `close` event follows.
      stream.on("error", () => {});
      const { ":path": path = "" } = headers;
      const duration = this.#openPaths.get(path);
      const connection = stream.session && this.#sessions.get(stream.session);
      // The connection has closed.
      if (connection === undefined) return;
      if (!this.#connections.begin(connection, stream, duration === undefined, duration)) {
        rejectUnbegun(stream, headers, overloaded("streams", "it has too many calls in progress"));
        return;
      }
      stream.once("close", () => this.#connections.end(connection, stream));
      const turn = this.#nextTurn();
      if (turn === undefined) next(stream, headers);
      else void turn.then(() => stream.destroyed || next(stream, headers));
    };
  }

  /**
   * Asks every client to make no more calls on its connection. Resolves when the calls that were on their way have
   * arrived.
   */
  async announceEnd(): Promise<void> {
    await Promise.all([...this.#sessions].map(([session, { stream }]) => announceEnd(session, stream)));
  }
}

async function announceEnd(session: Http2Session, socket: Socket): Promise<void> {
  if (session.closed || !socket.writable) return;
  const { promise: answered, resolve } = Promise.withResolvers<void>();
  const waited = new AbortController();
  try {
    socket.write(shutdownNotice);
    if (!session.ping(() => resolve())) return;
    session.once("close", resolve);
    await Promise.race([answered, delay(pingMs, undefined, { signal: waited.signal })]);
  } catch {
    // The connection has broken meanwhile.
  } finally {
    waited.abort();
  }
}
