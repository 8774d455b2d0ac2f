import { cerebrasRoutes } from "./cerebras/index.ts";
import { deepinfraRoutes } from "./deepinfra/index.ts";
import { egpChatRoutes } from "./egp-chat/index.ts";
import { egpDeploymentRoutes } from "./egp-deployment/index.ts";
import type { RouteOptions } from "./kit/route.ts";
import { type SurfaceHandler, serveRoutes } from "./kit/router.ts";
import { openaiRoutes } from "./openai/index.ts";

/** Every HTTP API of another vendor that Dragoman serves. A new API is a folder and a line in this list. */
const apis = [egpChatRoutes, egpDeploymentRoutes, cerebrasRoutes, deepinfraRoutes, openaiRoutes];

/** Makes the handler of every API's routes. */
export function createSurfaces(options: RouteOptions): SurfaceHandler {
  return serveRoutes(apis.flat(), options);
}
