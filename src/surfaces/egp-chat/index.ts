import type { Route } from "../kit/route.ts";
import { chatRoute } from "../kit/serve-surface.ts";
import { egpChatSurface } from "./chat.ts";

/** Scale EGP chat completions API. */
export const egpChatRoutes: readonly Route[] = [chatRoute(egpChatSurface)];
