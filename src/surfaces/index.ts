import { cerebrasRoutes } from "./cerebras/index.ts";
import { deepinfraRoutes } from "./deepinfra/index.ts";
import { egpChatRoutes } from "./egp-chat/index.ts";
import { egpDeploymentRoutes } from "./egp-deployment/index.ts";
import type { RouteOptions } from "./kit/route.ts";
import { type SurfaceHandler, serveRoutes } from "./kit/router.ts";
import { messagesRoutes } from "./messages/index.ts";
import { openaiRoutes } from "./openai/index.ts";

/**
 * All HTTP APIs of other vendors that Dragoman serves. To add an API, add a folder and an entry here. Of two routes with
 * one path, the first whose header a request has serves it.
 */
const apis = [egpChatRoutes, egpDeploymentRoutes, cerebrasRoutes, deepinfraRoutes, messagesRoutes, openaiRoutes];

/** Makes the handler for the routes of all APIs. */
export function createSurfaces(options: RouteOptions): SurfaceHandler {
  return serveRoutes(apis.flat(), options);
}
