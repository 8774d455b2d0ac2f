import type { IncomingMessage, ServerResponse } from "node:http";
import type { Gateway } from "../server/services/gateway.ts";
import { cerebrasSurface } from "./cerebras/index.ts";
import { deepinfraSurface } from "./deepinfra/index.ts";
import { egpChatSurface } from "./egp-chat/index.ts";
import { egpDeploymentSurface } from "./egp-deployment/index.ts";
import { decodePart } from "./kit/decode-path.ts";
import { servePages } from "./kit/pages.ts";
import { serveSurface } from "./kit/serve-surface.ts";
import type { ChatSurface } from "./kit/surface.ts";
import { openaiSurface } from "./openai/index.ts";

/** Every API of somebody else's that is served. A new one is a file and a line here. */
const surfaces: readonly ChatSurface[] = [
  egpChatSurface,
  egpDeploymentSurface,
  cerebrasSurface,
  deepinfraSurface,
  openaiSurface,
];

/** Answers a request when its path is a surface's; false when it is none's. */
export type SurfaceHandler = (request: IncomingMessage, response: ServerResponse) => boolean;

/** Makes the handler of every surface's paths. `maxRequestBytes` bounds a body, decompressed. */
export function createSurfaces(gateway: Gateway, maxRequestBytes: number): SurfaceHandler {
  const routes = surfaces.map((surface) => ({ surface, pattern: patternOf(surface.path) }));
  return (request, response) => {
    const path = (request.url ?? "").split("?", 1)[0] ?? "";
    if (servePages(gateway, path, request, response)) return true;
    for (const { surface, pattern } of routes) {
      const parameters = match(pattern, path);
      if (parameters === undefined) continue;
      if (request.method !== "POST") {
        response.writeHead(405, { allow: "POST" }).end();
        return true;
      }
      void serveSurface(gateway, surface, parameters, request, response, maxRequestBytes);
      return true;
    }
    return false;
  };
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replace(/\{(\w+)\}/g, "(?<$1>[^/]+)")}$`);
}

/** The named parts of a path; undefined when it does not match. */
function match(pattern: RegExp, path: string): Readonly<Record<string, string>> | undefined {
  const found = pattern.exec(path);
  if (found === null) return undefined;
  return Object.fromEntries(Object.entries(found.groups ?? {}).map(([name, part]) => [name, decodePart(part)]));
}
