import type { IncomingMessage, ServerResponse } from "node:http";
import { GatewayError } from "../../errors.ts";
import { discardRest } from "./body.ts";
import { sourceOf } from "./http-source.ts";
import { requestPath } from "./request-path.ts";
import type { Route, RouteContext, RouteOptions } from "./route.ts";
import { sendError } from "./send.ts";
import type { SurfaceError, ToError } from "./surface.ts";
import { type UnknownPath, unknownPath } from "./unknown-path.ts";

/** Responds to a request if a route has its path; otherwise returns false. */
export type SurfaceHandler = (request: IncomingMessage, response: ServerResponse) => boolean;

/** Makes the handler of a list of routes. */
export function serveRoutes(routes: readonly Route[], options: RouteOptions): SurfaceHandler {
  const find = createRouter(routes);
  return (request, response) => {
    const { method = "" } = request;
    const path = requestPath(request);
    const match = find(method, path);
    if (match !== undefined && "route" in match) {
      void match.route.handle({ ...options, parameters: match.parameters, request, response });
      return true;
    }
    if (match !== undefined) {
      const { name, allow, toError } = match;
      const error = new GatewayError("METHOD_NOT_FOUND", `${method} is not a method of this path; use ${allow}`);
      options.calls.reject(sourceOf(request, response), { name, mayCost: false }, error);
      reject(response, { error, toError }, { status: 405, headers: { allow } });
    } else {
      const unknown = unknownPath(routes, method, path);
      if (unknown === undefined) return false;
      reject(response, unknown);
    }
    if (!request.complete) discardRest(request, options.maxRequestBytes);
    return true;
  };
}

/** A route and its path parameters, or if only the path matches, the allowed methods and the name of the first route. */
type RouteMatch =
  | { readonly route: Route; readonly parameters: RouteContext["parameters"] }
  | { readonly name: string; readonly allow: string; readonly toError: ToError };

function reject(response: ServerResponse, { error, toError }: UnknownPath, given: Partial<SurfaceError> = {}): void {
  sendError(response, error, { ...toError(error, ""), ...given });
}

/** Makes a function that finds the first route for a method and a path; undefined if no route has the path. */
export function createRouter(routes: readonly Route[]): (method: string, path: string) => RouteMatch | undefined {
  const entries = routes.map((route) => ({ route, pattern: patternOf(route.path), methods: methodsOf(route) }));
  return (method, path) => {
    const others: Route[] = [];
    for (const { route, pattern, methods } of entries) {
      const found = pattern.exec(path);
      if (found === null) continue;
      if (methods.includes(method)) return { route, parameters: decoded(found.groups) };
      others.push(route);
    }
    const [first] = others;
    if (first === undefined) return undefined;
    const allow = [...new Set(others.flatMap(methodsOf))].join(", ");
    return { name: first.name, allow, toError: first.toError };
  };
}

function methodsOf({ method }: Route): readonly string[] {
  return method === "GET" ? ["GET", "HEAD"] : [method];
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replace(/\{(\w+)\}/g, "(?<$1>[^/]+)").replace(/\{(\w+)\*\}/g, "(?<$1>.*)")}$`);
}

function decoded(groups: Readonly<Record<string, string>> = {}): RouteContext["parameters"] {
  return Object.fromEntries(Object.entries(groups).map(([name, value]) => [name, decodePath(value)]));
}

/** Percent-decodes a value. Returns a malformed value unchanged; lookups then find nothing by it. */
function decodePath(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
