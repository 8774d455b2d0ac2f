import type { IncomingMessage, ServerResponse } from "node:http";
import type { ActiveCalls } from "../../calls/active-calls.ts";

/** Options of all routes. */
export interface RouteOptions {
  readonly calls: ActiveCalls;
  /** Maximum size of a decompressed body in bytes. */
  readonly maxRequestBytes: number;
  /** Maximum wait for a stream's first output before Dragoman sends the headers, in ms. */
  readonly streamHeadersAfterMs: number;
}

/** One HTTP request to a route, and its response. */
export interface RouteContext extends RouteOptions {
  /** Path parameters by their names in the pattern, percent-decoded. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** One path and method of an HTTP API. */
export interface Route {
  /** Name in call records, such as `openai-models`. */
  readonly name: string;
  /** GET includes HEAD: Node.js omits the body of a response to HEAD. */
  readonly method: "GET" | "POST" | "DELETE";
  /** Pattern of the whole path. `{name}` matches one segment, `{name*}` the rest of the path, which may be empty. */
  readonly path: string;
  /** Sends the response. Never throws, never rejects. */
  handle(context: RouteContext): void | Promise<void>;
}
