import type { Route } from "../kit/route.ts";
import { chatRoute } from "../kit/serve-surface.ts";
import { modelRoutes } from "../openai-shape/model-routes.ts";
import { deepinfraSurface } from "./chat.ts";
import { toError } from "./errors.ts";
import { deepinfraNamespace } from "./namespace.ts";

/** DeepInfra's HTTP API. */
export const deepinfraRoutes: readonly Route[] = [
  chatRoute(deepinfraSurface),
  ...modelRoutes({ name: "deepinfra-models", prefix: "/v1/openai", namespace: deepinfraNamespace, toError }),
];
