import type { Route } from "../kit/route.ts";
import { chatRoute } from "../kit/serve-surface.ts";
import { egpDeploymentSurface } from "./chat.ts";

/** Scale EGP deployments API. */
export const egpDeploymentRoutes: readonly Route[] = [chatRoute(egpDeploymentSurface)];
