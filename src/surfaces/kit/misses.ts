import type { IncomingHttpHeaders } from "node:http";
import { GatewayError } from "../../errors.ts";
import { nearest } from "../../nearest.ts";
import { toMessagesError } from "../messages/errors.ts";
import { toOpenAiError } from "../openai-shape/errors.ts";
import type { HttpApi } from "./http-api.ts";
import type { Route } from "./route.ts";
import { createRouter } from "./router.ts";
import type { ToError } from "./surface.ts";
import { shownPath, wrongMethod } from "./wrong-method.ts";

/** HTTP method and path pattern. */
export type Place = Pick<Route, "method" | "path">;

/** What answers a request that no route serves. */
export interface Miss {
  /** Name of the route that has the path, for the log. Empty: none. */
  readonly name: string;
  /** Whether the request is for an API. Others come from browsers and scanners, and are no calls. */
  readonly isCall: boolean;
  readonly error: GatewayError;
  /** Gives the error the shape of the API that the client expects. */
  readonly toError: ToError;
}

interface Missed {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

/**
 * Makes the function that explains why no route serves a request: the path has other methods, or it does not exist. The
 * error names what exists, and the path that was probably meant.
 *
 * @param pages paths of the service that are in no API
 */
export function createMisses(apis: readonly HttpApi[], pages: readonly Place[]): (missed: Missed) => Miss {
  const routes = [...apis.flatMap((api) => api.routes), ...pages.map((page) => ({ ...page, name: "", handle() {} }))];
  const find = createRouter(routes);
  const prefixes = apis.map(({ prefix }) => prefix).join(", ");
  const others = `the HTTP APIs begin with ${prefixes}; pages are ${pages.map(describe).join(", ")}`;
  return ({ method, path, headers }) => {
    const normal = normalized(path);
    const api = apiOf(normal, apis);
    const isAnthropic = headers["anthropic-version"] !== undefined;
    const toError = isAnthropic ? toMessagesError : (api?.toError ?? toOpenAiError);
    const isCall = api !== undefined;
    const match = find(method, path);
    if (match !== undefined && "allow" in match) {
      return { name: match.name, isCall, error: wrongMethod(method, path, match.allow), toError };
    }
    // Several APIs can have paths under the prefix of one.
    const meant = suggestion(
      normal,
      api === undefined
        ? routes
        : apis.filter(({ prefix }) => prefix.startsWith(api.prefix)).flatMap((near) => near.routes),
    );
    const text = `there is no ${method} ${shownPath(path)}`;
    const rest = api === undefined ? others : `the ${api.name} API has ${api.routes.map(describe).join(", ")}`;
    const hint = meant === undefined ? rest : `did you mean ${describe(meant)}? ${capitalized(rest)}`;
    return { name: "", isCall, error: new GatewayError("METHOD_NOT_FOUND", `${text}; ${hint}`), toError };
  };
}

/** Returns the API whose prefix a path has. Of several, the one with the longest prefix. */
function apiOf(normal: string, apis: readonly HttpApi[]): HttpApi | undefined {
  return apis
    .filter(({ prefix }) => normal === prefix || normal.startsWith(`${prefix}/`))
    .sort((first, second) => second.prefix.length - first.prefix.length)[0];
}

/**
 * Finds the place that was probably meant: one whose whole path follows a wrong beginning, or one with nearly the same
 * path, or one whose path ends in the same way.
 */
function suggestion(normal: string, places: readonly Place[]): Place | undefined {
  const filled = places.map((place) => ({ place, path: withParameters(place.path, normal) }));
  const whole = filled.filter(({ path }) => normal.endsWith(path)).sort(byLength)[0];
  if (whole !== undefined) return whole.place;
  const [near] = nearest(
    normal,
    filled.map(({ path }) => path),
    1,
  );
  if (near !== undefined) return filled.find(({ path }) => path === near)?.place;
  const ending = filled
    .map(({ place, path }) => ({ place, common: commonEnd(normal.split("/"), path.split("/")) }))
    .filter(({ common }) => common > 0)
    .sort((first, second) => second.common - first.common || first.place.path.length - second.place.path.length);
  return ending[0]?.place;
}

/** Orders the longest path first. */
function byLength(first: { readonly path: string }, second: { readonly path: string }): number {
  return second.path.length - first.path.length;
}

/** Returns a pattern with the segments of a path in place of its parameters. */
function withParameters(pattern: string, path: string): string {
  const [beginning = "", rest] = pattern.split(/\{\w+\*\}/);
  if (rest !== undefined) return path.startsWith(beginning) ? path : pattern;
  const segments = path.split("/");
  return pattern
    .split("/")
    .map((segment, index) => (segment.startsWith("{") ? (segments[index] ?? "") : segment))
    .join("/");
}

function commonEnd(first: readonly string[], second: readonly string[]): number {
  let count = 0;
  while (first.at(-1 - count) && first.at(-1 - count) === second.at(-1 - count)) count++;
  return count;
}

/** Returns a path in lower case, without repeated slashes and without one at the end. */
function normalized(path: string): string {
  return path
    .toLowerCase()
    .replace(/\/{2,}/g, "/")
    .replace(/(?<=.)\/$/, "");
}

function describe({ method, path }: Place): string {
  return `${method} ${path.replace("*}", "}")}`;
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
