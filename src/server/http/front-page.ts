import { createHash } from "node:crypto";
import type { IncomingMessage, RequestListener } from "node:http";
import { formatAddress, isWildcard } from "../../config/address.ts";
import type { Config } from "../../config/config.ts";
import { httpApis } from "../../surfaces/index.ts";
import { requestPath } from "../../surfaces/kit/request-path.ts";
import { readVersion } from "../../version.ts";
import type { Listener, Services } from "../listener.ts";
import { preferredType } from "./accept.ts";
import { type FrontPage, renderHtml, renderText, styles } from "./render-front-page.ts";

export const frontPath = "/";

const types = ["text/plain", "text/html", "application/json"] as const;

export function isFrontPage(request: IncomingMessage): boolean {
  return (request.method === "GET" || request.method === "HEAD") && requestPath(request) === frontPath;
}

/**
 * Creates the listener for `GET /`: what is at this address, as text, HTML or JSON. If the service requires API keys, the
 * page says only that, because anybody can read it.
 */
export function createFrontPage(config: Config, { metricsPage }: Services, grpc: Listener["address"]): RequestListener {
  const version = readVersion();
  const pageFor = (request: IncomingMessage): FrontPage =>
    config.authentication.mode === "keys"
      ? {
          name,
          message: "This service requires an API key; send it as `x-api-key: <key>` or `authorization: Bearer <key>`.",
        }
      : describe(config, { version, grpc, hasMetrics: metricsPage !== undefined, host: request.headers.host ?? "" });
  return (request, response) => {
    const type = preferredType(request.headers.accept, types);
    const body = Buffer.from(renderers[type](pageFor(request)));
    response.writeHead(200, { ...headers, "content-type": `${type}; charset=utf-8`, "content-length": body.length });
    response.end(body);
  };
}

const name = "Dragoman";

const renderers: Readonly<Record<(typeof types)[number], (page: FrontPage) => string>> = {
  "text/plain": renderText,
  "text/html": renderHtml,
  "application/json": (page) => `${JSON.stringify(page, undefined, 2)}\n`,
};

const styleHash = createHash("sha256").update(styles).digest("base64");

const headers = {
  // The page depends on the Host header too.
  "cache-control": "no-store",
  vary: "accept",
  "content-security-policy":
    `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'; ` +
    "frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
};

interface Facts {
  readonly version: string;
  readonly grpc: Listener["address"];
  readonly hasMetrics: boolean;
  /** Host header: the address under which the client knows the service. */
  readonly host: string;
}

function describe({ grpc: { tls }, http }: Config, { version, grpc, hasMetrics, host }: Facts): FrontPage {
  const base = `${http.tls ? "https" : "http"}://${host}`;
  const curl = (path: string, body: object) =>
    `curl -s -H 'content-type: application/json' -d '${JSON.stringify(body)}' ${base}${path}`;
  const hostname = URL.parse(base)?.hostname.replace(/^\[|\]$/g, "") ?? "";
  const grpcAddress = formatAddress(isWildcard(grpc.host) ? { ...grpc, host: hostname } : grpc);
  return {
    name,
    message: "A gRPC microservice that gives backends one typed, streaming contract over every model provider.",
    version,
    documentation: "docs/README.md, in the source and in the package",
    grpc: {
      address: grpcAddress,
      tls: tls !== undefined,
      example: `grpcurl${tls ? "" : " -plaintext"} -d '${JSON.stringify(connectBody)}' ${grpcAddress} ${chatMethod}`,
    },
    apis: [
      { name: "Connect", paths: [`POST /${chatMethod}`], example: curl(`/${chatMethod}`, connectBody) },
      ...httpApis.map((api) => ({
        name: api.name,
        paths: api.routes.map(({ method, path }) => `${method} ${path.replace("*}", "}")}`),
        example: curl(api.example.path, api.example.body),
      })),
    ],
    pages: [
      { path: "/healthz", meaning: "whether the process responds" },
      { path: "/readyz", meaning: "whether the service accepts calls, and the state of its components" },
      ...(hasMetrics ? [{ path: "/metrics", meaning: "metrics for Prometheus" }] : []),
    ],
  };
}

const chatMethod = "dragoman.v1.ChatService/CompleteChat";

const connectBody = {
  chat: {
    model: "echo/echo",
    messages: [{ role: "ROLE_USER", parts: [{ text: "What is the capital of France?" }] }],
  },
};
