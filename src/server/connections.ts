import type { Server, Socket } from "node:net";
import { peerAddress } from "../calls/peer-address.ts";
import type { Config } from "../config/config.ts";
import { LinkedList, type Place } from "../linked-list.ts";
import { networkOf } from "../load/network.ts";
import type { Rejections } from "../load/rejections.ts";

/** Interval in ms between searches for overdue requests. */
const sweepMs = 5_000;

/** Time in ms in which a call that has ended can send its response. */
export const answerMs = 5_000;

/** Open connection of a listener. */
export interface Connection {
  /** Address and port of the client. */
  readonly name: string;
  readonly network: string;
  readonly address: Address;
  /** Number of its requests in progress. */
  requests: number;
  isOpen: boolean;
  /** Closes the connection. A listener can replace it, for example to announce the end first. */
  close: () => unknown;
}

/** Whether requests need an API key in mode `keys`. Both kinds have bounds of their own. */
type Kind = "keyed" | "keyless";

/** Connections of one address, and its requests in progress of each kind. */
interface Address extends Record<Kind, number> {
  open: number;
  /** Connections without requests in progress. The one that has been idle longest is first. */
  readonly idle: Set<Connection>;
}

/** A request in progress, with its limits, which a reload does not change. */
export interface Ongoing<Request> extends Pick<Config["limits"], "maxRequestMs" | "maxCallMs"> {
  readonly request: Request;
  readonly connection: Connection;
  readonly kind: Kind;
  readonly duration: Duration;
  /** Start on the clock of the process. */
  readonly at: number;
  /** Places among the requests that may take too long. Undefined: it may take any time. */
  started: Place<Ongoing<Request>> | undefined;
  arriving: Place<Ongoing<Request>> | undefined;
}

/** What differs between the requests of the listeners. */
interface Handling<Request> {
  /** Whether the whole request has arrived. */
  isComplete(request: Request): boolean;
  close(request: Request): void;
  /** Closes a request that is not complete. If the protocol allows it, the client learns that it can retry. */
  refuse(request: Request): void;
}

/** How long a request may take: as a call, without a bound once it is complete, or without any bound. */
export type Duration = "call" | "unbounded response" | "unbounded";

/**
 * Bounds of each kind, as a share of the configured ones. Health checks get an answer whatever the number of calls, and
 * anonymous requests cannot lock out calls.
 */
const shares: Readonly<Record<Kind, number>> = { keyed: 1, keyless: 1 / 2 };

/**
 * Bounds the connections and the requests in progress of one listener, in all and for each address.
 *
 * At a bound, a new connection replaces the one that has been idle longest, so that idle connections cannot lock out
 * clients. If all are in use, the new connection is closed. In the same way, a new request replaces the oldest one of
 * its kind that is not complete. At the bound of its address, it is rejected instead.
 *
 * Closes requests that do not end: those that never become complete, and those whose response the client never reads.
 */
export class Connections<Request extends object> {
  #limits: Config["limits"];
  readonly #rejections: Rejections;
  readonly #handling: Handling<Request>;
  readonly #open = new Map<string, Connection>();
  readonly #addresses = new Map<string, Address>();
  readonly #idle = new Set<Connection>();
  /** Requests in progress that may take too long. The oldest is first. */
  readonly #started = new LinkedList<Ongoing<Request>>();
  readonly #inProgress: Record<Kind, number> = { keyed: 0, keyless: 0 };
  /** Requests that were not complete when last looked at. The oldest is first. */
  readonly #arriving: Readonly<Record<Kind, LinkedList<Ongoing<Request>>>> = {
    keyed: new LinkedList(),
    keyless: new LinkedList(),
  };
  readonly #sweeper: NodeJS.Timeout;

  constructor(limits: Config["limits"], rejections: Rejections, handling: Handling<Request>) {
    this.#limits = limits;
    this.#rejections = rejections;
    this.#handling = handling;
    this.#sweeper = setInterval(() => this.#sweep(), sweepMs).unref();
  }

  /** Changes the bounds. Connections and requests in progress stay, and requests may take as long as before. */
  setLimits(limits: Config["limits"]): void {
    this.#limits = limits;
  }

  /**
   * Installs the bounds on connections in a server, in front of its own listener for connections. They end with the
   * server.
   */
  guard(server: Server): void {
    server.once("close", () => clearInterval(this.#sweeper));
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
   * Counts a request until `end`. Returns undefined if that would exceed a bound.
   *
   * @param needsKey Whether requests of this kind need an API key in mode `keys`.
   */
  begin(
    connection: Connection,
    request: Request,
    needsKey: boolean,
    duration: Duration = "call",
  ): Ongoing<Request> | undefined {
    const { address } = connection;
    const { maxStreams, maxStreamsPerAddress, maxRequestMs, maxCallMs } = this.#limits;
    const kind = needsKey ? "keyed" : "keyless";
    const isAddressFull = address[kind] >= maxStreamsPerAddress * shares[kind];
    const isFull =
      !isAddressFull && this.#inProgress[kind] >= maxStreams * shares[kind] && !this.#refuseFirst(this.#arriving[kind]);
    if (isFull || isAddressFull) {
      this.#rejections.count("OVERLOADED", isFull ? "streams" : "streams of an address");
      return undefined;
    }
    this.#inProgress[kind]++;
    address[kind]++;
    connection.requests++;
    if (connection.requests === 1) {
      this.#idle.delete(connection);
      address.idle.delete(connection);
    }
    const ongoing: Ongoing<Request> = {
      ...{ request, connection, kind, duration, maxRequestMs, maxCallMs },
      at: performance.now(),
      started: undefined,
      arriving: undefined,
    };
    if (duration !== "unbounded") {
      ongoing.started = this.#started.add(ongoing);
      ongoing.arriving = this.#arriving[kind].add(ongoing);
    }
    return ongoing;
  }

  end({ connection, kind, started, arriving }: Ongoing<Request>): void {
    if (started !== undefined) this.#started.delete(started);
    if (arriving !== undefined) this.#arriving[kind].delete(arriving);
    this.#inProgress[kind]--;
    connection.address[kind]--;
    connection.requests--;
    if (connection.requests === 0 && connection.isOpen) this.#rest(connection);
  }

  #admit(socket: Socket): boolean {
    // The client has reset the connection already.
    if (socket.remoteAddress === undefined) return false;
    const { maxConnections, maxConnectionsPerAddress } = this.#limits;
    const network = networkOf(peerAddress(socket.remoteAddress));
    const address = this.#addresses.get(network) ?? { open: 0, keyed: 0, keyless: 0, idle: new Set() };
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
  #refuseFirst(all: LinkedList<Ongoing<Request>>): boolean {
    for (const { request, arriving } of all) {
      if (arriving !== undefined) all.delete(arriving);
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
    for (const { request, duration, at, maxRequestMs, maxCallMs } of this.#started) {
      const ms = now - at;
      // Requests that began with other limits can follow.
      if (ms <= answerMs) return;
      const longestRequestMs = maxRequestMs + answerMs;
      const longestMs = maxCallMs + answerMs;
      const isOverdue = ms > longestMs && duration === "call";
      if (isOverdue || (ms > longestRequestMs && !this.#handling.isComplete(request))) this.#handling.close(request);
    }
  }
}

function nameOf({ remoteAddress, remotePort }: Pick<Socket, "remoteAddress" | "remotePort">): string {
  return `${remoteAddress} ${remotePort}`;
}
