import { toError as toCerebrasError } from "./cerebras/errors.ts";
import { cerebrasRoutes } from "./cerebras/index.ts";
import { toError as toDeepinfraError } from "./deepinfra/errors.ts";
import { deepinfraRoutes } from "./deepinfra/index.ts";
import { egpChatRoutes } from "./egp-chat/index.ts";
import { egpDeploymentRoutes } from "./egp-deployment/index.ts";
import { egpError } from "./egp-shape/errors.ts";
import type { HttpApi } from "./kit/http-api.ts";
import type { RouteOptions } from "./kit/route.ts";
import { type SurfaceHandler, serveRoutes } from "./kit/router.ts";
import { openaiRoutes } from "./openai/index.ts";
import { toOpenAiError } from "./openai-shape/errors.ts";

const messages = [{ role: "user", content: "What is the capital of France?" }];

/** All HTTP APIs of other vendors that Dragoman serves. To add an API, add a folder and an entry here. */
export const httpApis: readonly HttpApi[] = [
  {
    name: "OpenAI",
    prefix: "/v1",
    routes: openaiRoutes,
    toError: toOpenAiError,
    example: { path: "/v1/chat/completions", body: { model: "echo/echo", messages } },
  },
  {
    name: "Cerebras",
    prefix: "/cerebras",
    routes: cerebrasRoutes,
    toError: toCerebrasError,
    example: { path: "/cerebras/v1/chat/completions", body: { model: "gpt-oss-120b", messages } },
  },
  {
    name: "DeepInfra",
    prefix: "/v1/openai",
    routes: deepinfraRoutes,
    toError: toDeepinfraError,
    example: {
      path: "/v1/openai/chat/completions",
      body: { model: "meta-llama/Llama-3.3-70B-Instruct-Turbo", messages },
    },
  },
  {
    name: "Scale EGP",
    prefix: "/v4",
    routes: [...egpChatRoutes, ...egpDeploymentRoutes],
    toError: egpError,
    example: { path: "/v4/chat-completions", body: { model: "gpt-4o", messages } },
  },
];

/** Makes the handler for the routes of all APIs. */
export function createSurfaces(options: RouteOptions): SurfaceHandler {
  return serveRoutes(
    httpApis.flatMap(({ routes }) => routes),
    options,
  );
}
