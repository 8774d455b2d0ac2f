import type { RequestOptions } from "node:http";
import type * as undici from "undici";
import type { ProxyChoice } from "../config/provider.ts";
import { watchSocket } from "./socket-watch.ts";
import { createTunnel } from "./tunnel.ts";
import { Agent, buildConnector } from "./undici.ts";

/** Function with which Node.js finds the addresses of a name. */
export type Lookup = NonNullable<RequestOptions["lookup"]>;

/** How to connect to an address. */
interface Connecting {
  /** Maximum time to connect, in ms; 0: no limit. May fire late: undici checks it only about twice per second. */
  readonly connectMs: number;
  readonly proxy: ProxyChoice | undefined;
  /** Whether to offer HTTP/2 to a server with TLS. Default false. */
  readonly http2?: boolean;
  /** Finds the addresses of a name. Default: `dns.lookup`, which asks the system each time and caches nothing. */
  readonly lookup?: Lookup | undefined;
}

/**
 * Creates the function with which undici opens connections to an address. If a name has several addresses, it tries the
 * next one if one fails, or does not connect at once (happy eyeballs).
 */
export function createConnector(
  url: URL,
  { connectMs, proxy: choice, http2 = false, lookup }: Connecting,
): undici.buildConnector.connector {
  const direct = buildConnector({
    timeout: connectMs,
    noDelay: true,
    allowH2: http2,
    preferH2: http2,
    autoSelectFamily: true,
    ...(lookup && { lookup }),
  });
  const proxy = choice?.proxyOf(url);
  const connect = proxy === undefined ? direct : createTunnel(proxy, direct, connectMs);
  return (options, callback) =>
    connect(options, (...[error, socket]) => {
      if (error !== null) callback(error, null);
      else callback(null, http2 ? socket : watchSocket(socket));
    });
}

type Socket = NonNullable<Parameters<undici.buildConnector.Callback>[1]>;

/** Connector that uses a connection that is there, if it gets one, before it opens others. */
export class SpareConnector {
  #spare: Socket | undefined;
  readonly #connect: undici.buildConnector.connector;

  constructor(connect: undici.buildConnector.connector) {
    this.#connect = connect;
  }

  offer(socket: Socket): void {
    this.#spare?.destroy();
    this.#spare = socket.on("error", () => {});
  }

  readonly connect: undici.buildConnector.connector = (options, callback) => {
    const spare = this.#spare;
    this.#spare = undefined;
    if (spare === undefined || spare.destroyed) this.#connect(options, callback);
    // undici expects no call before this function has returned.
    else queueMicrotask(() => callback(null, watchSocket(spare)));
  };
}

/** Creates a dispatcher for single requests to an address, such as token requests. Close it after the response. */
export function createDispatcher(url: URL, connecting: Connecting): undici.Agent {
  return new Agent({ connect: createConnector(url, connecting), allowH2: false });
}
