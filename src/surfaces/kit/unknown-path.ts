import { GatewayError } from "../../errors.ts";
import { nearest } from "../../nearest.ts";
import type { Route } from "./route.ts";
import type { ToError } from "./surface.ts";

/** Error of a request that no route serves, in the words of the API that it is meant for. */
export interface UnknownPath {
  readonly error: GatewayError;
  readonly toError: ToError;
}

/** Path of a method of a service: `/package.Service/Method`. */
const rpcPath = /^\/[\w.]+\.\w+\/[^/]*$/;

/**
 * Returns the error for a path that no route has. Undefined if the request is not for these APIs: it calls a method of a
 * service, or gets a page that shares no part of its path with a route.
 */
export function unknownPath(routes: readonly Route[], method: string, path: string): UnknownPath | undefined {
  if (rpcPath.test(path)) return undefined;
  const isPage = method === "GET" || method === "HEAD";
  const related = routes.filter((route) => sharedSegments(route.path, path) > 0);
  if (related.length === 0 && isPage) return undefined;
  // Without any likeness, the path is meant for the last API, which is OpenAI's.
  const owner = mostShared(related, path) ?? routes.at(-1);
  if (owner === undefined) return undefined;
  const [near] = nearest(path, new Set(routes.map((route) => route.path)), 1);
  const own = routes.filter(({ toError }) => toError === owner.toError);
  const served = own.filter((route) => route.method === (isPage ? "GET" : "POST"));
  const fix =
    near === undefined
      ? `write ${served.map(nameOf).join(" or ")}`
      : `did you mean ${routes
          .filter((route) => route.path === near)
          .map(nameOf)
          .join(" or ")}?`;
  const message = `there is no ${method} ${path.slice(0, longestPath)}; ${fix}`;
  return { error: new GatewayError("METHOD_NOT_FOUND", message), toError: owner.toError };
}

const longestPath = 100;

function nameOf({ method, path }: Route): string {
  return `${method} ${path.replaceAll("*", "")}`;
}

function mostShared(routes: readonly Route[], path: string): Route | undefined {
  let most: Route | undefined;
  // The later of two equal routes: several APIs have paths below /v1, and OpenAI's is the last one.
  for (const route of routes) {
    if (most === undefined || sharedSegments(route.path, path) >= sharedSegments(most.path, path)) most = route;
  }
  return most;
}

/** Returns how many first segments two paths have in common. */
function sharedSegments(one: string, other: string): number {
  const [first, second] = [one, other].map((path) => path.split("/").slice(1));
  const different = (first ?? []).findIndex((segment, index) => segment !== second?.[index]);
  return different < 0 ? (first ?? []).length : different;
}
