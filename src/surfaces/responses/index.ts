import { GatewayError } from "../../errors.ts";
import { countRoute } from "../kit/count-route.ts";
import { lookupRoute } from "../kit/lookup.ts";
import type { Route } from "../kit/route.ts";
import { chatRoute } from "../kit/serve-surface.ts";
import { toResponsesError } from "./errors.ts";
import { responsesSurface } from "./surface.ts";

const { path } = responsesSurface;

const notStored =
  "Dragoman stores no responses; keep the output of each response, and send the whole conversation in input";
const noCompaction = "Dragoman does not shorten conversations; shorten input in the client";

/** Makes a route that rejects every request. */
function rejectingRoute(method: Route["method"], suffix: string, text: string): Route {
  return lookupRoute({
    name: "responses-stored",
    method,
    path: path + suffix,
    toError: toResponsesError,
    lookUp() {
      throw new GatewayError("RESOURCE_NOT_FOUND", text);
    },
  });
}

/** OpenAI's Responses API. */
export const responsesRoutes: readonly Route[] = [
  chatRoute(responsesSurface),
  countRoute({
    name: "responses-input-tokens",
    path: `${path}/input_tokens`,
    surface: responsesSurface,
    toResponse: (tokens) => ({ object: "response.input_tokens", input_tokens: tokens }),
  }),
  rejectingRoute("POST", "/compact", noCompaction),
  rejectingRoute("GET", "/{response_id}", notStored),
  rejectingRoute("DELETE", "/{response_id}", notStored),
  rejectingRoute("POST", "/{response_id}/cancel", notStored),
  rejectingRoute("GET", "/{response_id}/input_items", notStored),
];
