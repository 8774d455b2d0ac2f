import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { isLoopback } from "../../config/address.ts";
import type { Config } from "../../config/config.ts";
import { requestPath } from "../../surfaces/kit/request-path.ts";
import { listenError } from "../listen-problem.ts";
import type { MetricsPage, RenderedMetrics } from "../listener.ts";
import { guardBrowsers } from "./browser-guard.ts";

/** Path of the page. */
export const metricsPath = "/metrics";

/** Most connections to the listener of the page, and longest time in ms of a request. */
const maxConnections = 64;
const requestTimeout = 10_000;

export function isMetricsPage(request: IncomingMessage): boolean {
  return (request.method === "GET" || request.method === "HEAD") && requestPath(request) === metricsPath;
}

/**
 * Answers a request for the page. It needs no API key, but a web page in the operator's browser must not read it: see
 * `guardBrowsers`.
 */
export function createMetricsHandler(config: Config, page: MetricsPage): RequestListener {
  return guardBrowsers(config, (request, response) => {
    const send = ({ contentType, text }: RenderedMetrics): void => {
      response.writeHead(200, { "content-type": contentType, "content-length": Buffer.byteLength(text) });
      response.end(text);
    };
    const rendered = page.render(request.headers.accept ?? "");
    if (rendered instanceof Promise) rendered.then(send).catch(() => response.destroy());
    else send(rendered);
  });
}

/** Listener that has only the page. */
export interface MetricsListener {
  readonly address: { readonly host: string; readonly port: number };
  /** Lets later requests follow the rules of a configuration about browsers. */
  setConfig(config: Config): void;
  close(): Promise<void>;
}

/** Opens the listener of `telemetry.metrics_address`. */
export async function listenMetrics(
  config: Config,
  { host, port }: MetricsListener["address"],
  page: MetricsPage,
): Promise<MetricsListener> {
  // An address that other machines reach was chosen for them, and they use its name.
  const answerOf = (current: Config) =>
    createMetricsHandler(isLoopback(host) ? current : { ...current, authentication: anyHost(current) }, page);
  let answer = answerOf(config);
  const server = createServer({ requestTimeout, headersTimeout: requestTimeout }, (request, response) => {
    if (isMetricsPage(request)) {
      answer(request, response);
      return;
    }
    response.writeHead(404, { "content-type": "text/plain; charset=utf-8", connection: "close" });
    response.end(`not found: use GET ${metricsPath}\n`);
  });
  server.maxConnections = maxConnections;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => reject(listenError(error, { host, port }, { key: "telemetry.metrics_address" })));
    server.listen(port, host, resolve);
  });
  // A server that listens on a host and port always has an AddressInfo.
  const { port: opened } = server.address() as AddressInfo;
  return {
    address: { host, port: opened },
    setConfig(next) {
      answer = answerOf(next);
    },
    close() {
      return new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

function anyHost({ authentication }: Config): Config["authentication"] {
  return { ...authentication, mode: "off" };
}
