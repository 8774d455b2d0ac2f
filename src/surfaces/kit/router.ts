import type { IncomingMessage, ServerResponse } from "node:http";
import { requestPath } from "./request-path.ts";
import type { Route, RouteContext, RouteOptions } from "./route.ts";

/** Responds to a request if a route has its path and method; otherwise returns false. */
export type SurfaceHandler = (request: IncomingMessage, response: ServerResponse) => boolean;

/** Makes the handler of a list of routes. */
export function serveRoutes(routes: readonly Route[], options: RouteOptions): SurfaceHandler {
  const find = createRouter(routes);
  return (request, response) => {
    const match = find(request.method ?? "", requestPath(request));
    if (match === undefined || "allow" in match) return false;
    void match.route.handle({ ...options, parameters: match.parameters, request, response });
    return true;
  };
}

/** A route and its path parameters, or if only the path matches, the allowed methods and the name of the first route. */
type RouteMatch =
  | { readonly route: Route; readonly parameters: RouteContext["parameters"] }
  | { readonly name: string; readonly allow: string };

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
    return first && { name: first.name, allow: [...new Set(others.flatMap(methodsOf))].join(", ") };
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
