import type { Route } from "../kit/route.ts";
import { sendJson } from "../kit/send.ts";
import { chatRoute } from "../kit/serve-surface.ts";
import { modelRoutes } from "../openai-shape/model-routes.ts";
import { cerebrasSurface } from "./chat.ts";
import { toError } from "./errors.ts";
import { cerebrasNamespace } from "./namespace.ts";

/** Cerebras' SDKs send this request when a client is created, to open a connection. They read only the status. */
const warmingRoute: Route = {
  name: "cerebras-warming",
  method: "GET",
  path: "/cerebras/v1/tcp_warming",
  handle: ({ response }) => sendJson(response, 200, {}),
};

/**
 * Cerebras' HTTP API. Its paths have the prefix `/cerebras`, since OpenAI's API has the same paths: set the base URL of
 * the official SDK to `http://host/cerebras`.
 */
export const cerebrasRoutes: readonly Route[] = [
  chatRoute(cerebrasSurface),
  ...modelRoutes({ name: "cerebras-models", prefix: "/cerebras/v1", namespace: cerebrasNamespace, toError }),
  warmingRoute,
];
