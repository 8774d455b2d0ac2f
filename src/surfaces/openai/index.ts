import type { Route } from "../kit/route.ts";
import { chatRoute } from "../kit/serve-surface.ts";
import { toOpenAiError } from "../openai-shape/errors.ts";
import { modelRoutes } from "../openai-shape/model-routes.ts";
import { openaiSurface } from "./chat.ts";
import { embeddingsRoute } from "./serve-embeddings.ts";

/** OpenAI's HTTP API. */
export const openaiRoutes: readonly Route[] = [
  chatRoute(openaiSurface),
  embeddingsRoute,
  ...modelRoutes({ name: "openai-models", prefix: "/v1", namespace: undefined, toError: toOpenAiError }),
];
