import { Agent, buildConnector } from "undici";
import type { ProxyChoice } from "../config/provider.ts";
import { watchSocket } from "./socket-watch.ts";
import { createTunnel } from "./tunnel.ts";

/** How to connect to an address. */
interface Connecting {
  /** Maximum time to connect, in ms; 0: no limit. May fire late: undici checks it only about twice per second. */
  readonly connectMs: number;
  readonly proxy: ProxyChoice | undefined;
}

/** Creates the function with which undici opens connections to an address. */
export function createConnector(url: URL, { connectMs, proxy: choice }: Connecting): buildConnector.connector {
  const direct = buildConnector({ timeout: connectMs, noDelay: true, allowH2: false });
  const proxy = choice?.proxyOf(url);
  const connect = proxy === undefined ? direct : createTunnel(proxy, direct, connectMs);
  return (options, callback) =>
    connect(options, (...[error, socket]) => {
      if (error === null) callback(null, watchSocket(socket));
      else callback(error, null);
    });
}

/** Creates a dispatcher for single requests to an address, such as token requests. Close it after the response. */
export function createDispatcher(url: URL, connecting: Connecting): Agent {
  return new Agent({ connect: createConnector(url, connecting), allowH2: false });
}
