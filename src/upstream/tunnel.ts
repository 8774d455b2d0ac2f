import { type ClientRequest, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import type { buildConnector } from "undici";
import type { HttpProxy } from "../config/provider.ts";

/** Failure of a proxy to open a connection to a provider. */
export class ProxyError extends Error {
  /** The proxy's URL, without credentials. */
  readonly proxy: string;
  /** Status of the proxy's response. 0: there was none. */
  readonly status: number;
  /** Whether the proxy did not respond in time. */
  readonly isTimeout: boolean;

  constructor(what: string, { place }: HttpProxy, status: number, cause?: Error) {
    super(`the proxy ${place} ${what}`, { cause });
    this.proxy = place;
    this.status = status;
    this.isTimeout = cause instanceof ConnectTimeout;
  }
}

class ConnectTimeout extends Error {}

/**
 * Creates a connector that opens each connection through a proxy: with CONNECT, for `http://` addresses too, so that the
 * proxy neither reads nor changes a request.
 *
 * @param direct connector that adds TLS to the connection
 * @param connectMs maximum time in ms until the proxy has connected; 0: no limit
 */
export function createTunnel(
  proxy: HttpProxy,
  direct: buildConnector.connector,
  connectMs: number,
): buildConnector.connector {
  return (options, callback) => {
    const { hostname, port, protocol } = options;
    const host = hostname.includes(":") ? `[${hostname}]` : hostname;
    const request = connectTo(proxy, `${host}:${port || (protocol === "https:" ? "443" : "80")}`);
    let timer: NodeJS.Timeout | undefined;
    if (connectMs > 0) timer = setTimeout(() => request.destroy(new ConnectTimeout()), connectMs);
    request.once("connect", ({ statusCode = 0 }, stream, head) => {
      clearTimeout(timer);
      const socket = stream as NonNullable<Parameters<typeof callback>[1]>;
      if (statusCode < 200 || statusCode > 299) {
        socket.on("error", () => {}).destroy();
        callback(refusal(proxy, statusCode), null);
        return;
      }
      socket.setNoDelay(true);
      if (head.length > 0) socket.unshift(head);
      if (protocol === "https:") direct({ ...options, httpSocket: socket }, callback);
      else callback(null, socket);
    });
    request.once("error", (error: Error) => {
      clearTimeout(timer);
      const code = "code" in error ? String(error.code) : error.name;
      const what = error instanceof ConnectTimeout ? "did not connect in time" : `could not be reached (${code})`;
      callback(new ProxyError(what, proxy, 0, error), null);
    });
    request.end();
  };
}

function connectTo({ url }: HttpProxy, authority: string): ClientRequest {
  const { protocol, hostname, port, username, password } = new URL(url.reveal());
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const authorization = { "proxy-authorization": `Basic ${Buffer.from(credentials).toString("base64")}` };
  return (protocol === "https:" ? requestHttps : requestHttp)({
    host: hostname.replace(/^\[|\]$/g, ""),
    ...(port !== "" && { port }),
    method: "CONNECT",
    path: authority,
    headers: { host: authority, ...(username !== "" && authorization) },
    agent: false,
  });
}

function refusal(proxy: HttpProxy, status: number): ProxyError {
  const what = status === 407 ? "rejected the credentials, or needs some" : "did not connect to the provider";
  return new ProxyError(`${what} (HTTP ${status})`, proxy, status);
}
