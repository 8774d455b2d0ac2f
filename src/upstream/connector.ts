import { buildConnector } from "undici";
import { watchSocket } from "./socket-watch.ts";

/**
 * Creates the function with which undici opens connections to a provider.
 *
 * @param connectMs maximum time to connect, in ms; 0: no limit. May fire late: undici checks it only about twice per second
 */
export function createConnector(connectMs: number): buildConnector.connector {
  const connect = buildConnector({ timeout: connectMs, noDelay: true, allowH2: false });
  return (options, callback) =>
    connect(options, (...[error, socket]) => {
      if (error === null) callback(null, watchSocket(socket));
      else callback(error, null);
    });
}
