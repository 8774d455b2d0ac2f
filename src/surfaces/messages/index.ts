import type { Route } from "../kit/route.ts";
import { chatRoute } from "../kit/serve-surface.ts";
import { messagesSurface } from "./chat.ts";
import { countTokensRoute } from "./count-tokens.ts";
import { modelRoutes } from "./models.ts";

/** Anthropic's HTTP API. */
export const messagesRoutes: readonly Route[] = [chatRoute(messagesSurface), countTokensRoute, ...modelRoutes];
