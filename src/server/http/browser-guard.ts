import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { isLoopback } from "../../config/address.ts";
import type { Config } from "../../config/config.ts";

/**
 * Wraps a request listener with the rules for web pages.
 *
 * In mode `loopback`, callers need no key, so a web page in the operator's browser must not become a caller. A page can
 * let its own name resolve to 127.0.0.1 (DNS rebinding): the browser then sends the page's name as Host. A page of
 * another site sends its name as Origin. Other modes need no such rules: in `keys`, a page has no key, and `off`
 * accepts every caller.
 *
 * CORS is on for `http.cors_origins` alone, in every mode.
 */
export function guardBrowsers({ authentication, http }: Config, next: RequestListener): RequestListener {
  const { allowedHosts, corsOrigins } = http;
  const isAllowedHost = (host: string) =>
    isLoopback(host.replace(/^\[|\]$/g, "")) || host.endsWith(".localhost") || allowedHosts.includes(host);

  /** Returns the text of the error, or undefined to accept the request. */
  function problemOf({ url = "", headers: { host = "", origin } }: IncomingMessage): string | undefined {
    // A target that is an absolute URL takes precedence over Host (RFC 9112, section 3.2.2). Both must be allowed.
    const hosts = [URL.parse(`http://${host}`), ...(url.startsWith("/") ? [] : [URL.parse(url)])];
    if (!hosts.every((parsed) => parsed === null || isAllowedHost(parsed.hostname))) {
      return "forbidden: this Host is not allowed without API keys; add it to http.allowed_hosts\n";
    }
    if (origin === undefined || corsOrigins.includes(origin)) return undefined;
    if (isAllowedHost(URL.parse(origin)?.hostname ?? "")) return undefined;
    return "forbidden: this Origin is not allowed without API keys; add it to http.cors_origins\n";
  }

  return (request, response) => {
    const text = authentication.mode === "loopback" ? problemOf(request) : undefined;
    if (text !== undefined) {
      response.writeHead(403, { "content-type": "text/plain; charset=utf-8", connection: "close" });
      response.end(text);
      return;
    }
    if (corsOrigins.length > 0 && answerCors(request, response, corsOrigins)) return;
    next(request, response);
  };
}

/** Adds the CORS headers for a listed origin (Fetch standard). Answers a preflight request and then returns true. */
function answerCors({ method, headers }: IncomingMessage, response: ServerResponse, origins: readonly string[]) {
  response.setHeader("vary", "Origin");
  if (headers.origin === undefined || !origins.includes(headers.origin)) return false;
  response.setHeader("access-control-allow-origin", headers.origin);
  response.setHeader("access-control-expose-headers", "*");
  if (method !== "OPTIONS" || headers["access-control-request-method"] === undefined) return false;
  response.writeHead(204, {
    "access-control-allow-methods": "GET, POST",
    // A wildcard would not include `authorization`.
    "access-control-allow-headers": headers["access-control-request-headers"] ?? "",
    "access-control-max-age": "7200",
    ...(headers["access-control-request-private-network"] && { "access-control-allow-private-network": "true" }),
  });
  response.end();
  return true;
}
