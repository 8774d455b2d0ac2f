import type { Server, Socket } from "node:net";
import { peerAddress } from "../calls/peer-address.ts";
import type { Config } from "../config/config.ts";
import { networkOf } from "../load/network.ts";
import type { Rejections } from "../load/rejections.ts";

/** Interval in ms between searches for overdue requests. */
const sweepMs = 5_000;

/** Time in ms in which a call that has ended can send its response. */
const answerMs = 5_000;

/** Open connection of a listener. */
export interface Connection {
  /** Address and port of the client. */
  readonly name: string;
  readonly network: string;
  readonly address: Address;
  /** Number of its requests in progress. */
  requests: number;
  isOpen: boolean;
  /** Closes the connection at once. A listener may replace it by a more polite way. */
  close: () => unknown;
}

/** Connections of one address. */
interface Address {
  open: number;
  requests: number;
  /** Connections without requests in progress. The one that has been idle longest is first. */
  readonly idle: Set<Connection>;
}

/** How a listener handles a request. */
interface Handling<Request> {
  /** Whether the whole request has arrived. */
  isComplete(request: Request): boolean;
  close(request: Request): void;
  /** Closes a request that is not complete, and tells the client that it was not processed. */
  refuse(request: Request): void;
}

/** How long a request may take: as a call, without a bound once it is complete, or without any bound. */
export type Duration = "call" | "unbounded response" | "unbounded";

/** Share of the bounds that requests may use that need no API key. */
const openShare = 1 / 2;

/**
 * Bounds the connections and the requests in progress of one listener, in all and for each address.
 *
 * At a bound, a new connection replaces the one that has been idle longest, so that idle connections cannot lock out
 * clients. If all are in use, the new connection is closed. In the same way, a new request replaces the oldest one that
 * is not complete.
 *
 * Closes requests that do not end: those that never become complete, and those whose response the client never reads.
 */
export class Connections<Request extends object> {
  readonly #limits: Config["limits"];
  readonly #rejections: Rejections;
  readonly #handling: Handling<Request>;
  readonly #open = new Map<string, Connection>();
  readonly #addresses = new Map<string, Address>();
  readonly #idle = new Set<Connection>();
  /** Start times of requests in progress. The oldest is first. */
  readonly #startedAt = new Map<Request, number>();
  /** Requests that were not complete when last looked at. The oldest is first. */
  readonly #arriving = new Set<Request>();
  readonly #unboundedResponses = new WeakSet<Request>();
  #requests = 0;

  constructor(limits: Config["limits"], rejections: Rejections, handling: Handling<Request>) {
    this.#limits = limits;
    this.#rejections = rejections;
    this.#handling = handling;
    setInterval(() => this.#sweep(), sweepMs).unref();
  }

  /** Installs the bounds on connections in a server, in front of its own listener for connections. */
  guard(server: Server): void {
    for (const listener of server.listeners("connection")) {
      server.removeListener("connection", listener as (socket: Socket) => void);
      server.on("connection", (socket) => {
        if (this.#admit(socket)) listener.call(server, socket);
        else socket.destroy();
      });
    }
  }

  /** Returns the connection of a socket. Undefined if it has closed. The socket may be the TLS layer of a socket. */
  of(socket: Pick<Socket, "remoteAddress" | "remotePort">): Connection | undefined {
    return this.#open.get(nameOf(socket));
  }

  /**
   * Counts a request until `end`. Returns false if that would exceed a bound.
   *
   * @param needsKey Whether requests of this kind need an API key in mode `keys`.
   */
  begin(connection: Connection, request: Request, needsKey: boolean, duration: Duration = "call"): boolean {
    const { address } = connection;
    const { maxStreams, maxStreamsPerAddress } = this.#limits;
    const share = needsKey ? 1 : openShare;
    const isAddressFull = address.requests >= maxStreamsPerAddress * share;
    const isFull = !isAddressFull && this.#requests >= maxStreams * share && !this.#refuseFirst();
    if (isFull || isAddressFull) {
      this.#rejections.count("OVERLOADED", isFull ? "streams" : "streams of an address");
      return false;
    }
    this.#requests++;
    address.requests++;
    connection.requests++;
    if (connection.requests === 1) {
      this.#idle.delete(connection);
      address.idle.delete(connection);
    }
    if (duration !== "unbounded") {
      this.#startedAt.set(request, performance.now());
      this.#arriving.add(request);
    }
    if (duration === "unbounded response") this.#unboundedResponses.add(request);
    return true;
  }

  end(connection: Connection, request: Request): void {
    this.#startedAt.delete(request);
    this.#arriving.delete(request);
    this.#requests--;
    connection.address.requests--;
    connection.requests--;
    if (connection.requests === 0 && connection.isOpen) this.#rest(connection);
  }

  #admit(socket: Socket): boolean {
    // The client has reset the connection already.
    if (socket.remoteAddress === undefined) return false;
    const { maxConnections, maxConnectionsPerAddress } = this.#limits;
    const network = networkOf(peerAddress(socket.remoteAddress));
    const address = this.#addresses.get(network) ?? { open: 0, requests: 0, idle: new Set() };
    const isFree =
      (address.open < maxConnectionsPerAddress || this.#closeFirst(address.idle)) &&
      (this.#open.size < maxConnections || this.#closeFirst(this.#idle));
    if (!isFree) {
      const isAddress = address.open >= maxConnectionsPerAddress;
      this.#rejections.count("OVERLOADED", isAddress ? "connections of an address" : "connections");
      return false;
    }
    const close = (): unknown => socket.destroy();
    const connection: Connection = {
      name: nameOf(socket),
      network,
      address,
      requests: 0,
      isOpen: true,
      close,
    };
    this.#addresses.set(network, address);
    this.#open.set(connection.name, connection);
    address.open++;
    this.#rest(connection);
    socket.once("close", () => this.#remove(connection));
    return true;
  }

  #rest(connection: Connection): void {
    this.#idle.add(connection);
    connection.address.idle.add(connection);
  }

  /** Closes the first connection of a set. Returns false if the set is empty. */
  #closeFirst(idle: ReadonlySet<Connection>): boolean {
    const [first] = idle;
    if (first === undefined) return false;
    // Remove it at once, since the `close` event comes after other new connections.
    this.#remove(first);
    first.close();
    return true;
  }

  /** Refuses the oldest request that is not complete. Returns false if all are complete. */
  #refuseFirst(): boolean {
    for (const request of this.#arriving) {
      this.#arriving.delete(request);
      if (this.#handling.isComplete(request)) continue;
      this.#handling.refuse(request);
      return true;
    }
    return false;
  }

  #remove(connection: Connection): void {
    if (!connection.isOpen) return;
    const { name, network, address } = connection;
    connection.isOpen = false;
    if (this.#open.get(name) === connection) this.#open.delete(name);
    this.#idle.delete(connection);
    address.idle.delete(connection);
    address.open--;
    if (address.open === 0) this.#addresses.delete(network);
  }

  #sweep(): void {
    const now = performance.now();
    const longestRequestMs = this.#limits.maxRequestMs + answerMs;
    const longestMs = this.#limits.maxCallMs + answerMs;
    for (const [request, startedAt] of this.#startedAt) {
      const ms = now - startedAt;
      if (ms <= Math.min(longestRequestMs, longestMs)) return;
      const isOverdue = ms > longestMs && !this.#unboundedResponses.has(request);
      if (isOverdue || (ms > longestRequestMs && !this.#handling.isComplete(request))) this.#handling.close(request);
    }
  }
}

function nameOf({ remoteAddress, remotePort }: Pick<Socket, "remoteAddress" | "remotePort">): string {
  return `${remoteAddress} ${remotePort}`;
}
