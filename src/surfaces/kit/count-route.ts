import { admitCall } from "../../calls/admit-call.ts";
import type { Call } from "../../calls/call.ts";
import { countTokens } from "../../calls/count-tokens.ts";
import { toGatewayError } from "../../errors.ts";
import { beginCall } from "./begin-call.ts";
import { discardRest } from "./body.ts";
import { inNamesOf } from "./error-message.ts";
import { readRequest } from "./read-request.ts";
import type { Route, RouteContext } from "./route.ts";
import { sendError, sendJson } from "./send.ts";
import { callRequest } from "./serve-surface.ts";
import type { ChatSurface, SurfaceRequest, Translated } from "./surface.ts";

/** A translated request of which only the tokens are counted. */
type Counted = Pick<Translated, "chat" | "extras" | "nameField">;

/** Endpoint that counts the input tokens of a request to a chat API. */
interface CountEndpoint {
  /** Method name in call records. */
  readonly name: string;
  readonly path: string;
  /** The chat API, with the translation for bodies of this endpoint. */
  readonly surface: Omit<ChatSurface, "translate"> & {
    translate(body: unknown, request: SurfaceRequest): Counted;
  };
  /** Returns the JSON value of the response. */
  toResponse(tokens: number): unknown;
}

/** Makes the route of an endpoint that counts tokens, as `countTokens` does. */
export function countRoute(endpoint: CountEndpoint): Route {
  return {
    name: endpoint.name,
    method: "POST",
    path: endpoint.path,
    async handle(context) {
      const { request, maxRequestBytes } = context;
      const { name, surface } = endpoint;
      const { toError, requestIdHeader } = surface;
      const method = { name, mayCost: false, stream: false, operation: "count_tokens" } as const;
      const call = beginCall(context, method, toError, requestIdHeader);
      if (call !== undefined) await serveCount(call, endpoint, context);
      if (!request.complete) discardRest(request, maxRequestBytes);
    },
  };
}

async function serveCount(call: Call, { surface, toResponse }: CountEndpoint, context: RouteContext): Promise<void> {
  let translated: Counted | undefined;
  try {
    await admitCall(call);
    const { value, request } = await readRequest(call, context);
    translated = surface.translate(value, request);
    const { tokens } = await countTokens(call, callRequest(surface, { ...translated, streamed: false }));
    call.signal.throwIfAborted();
    sendJson(context.response, 200, toResponse(tokens));
    call.settle();
  } catch (thrown) {
    const error = toGatewayError(call.signal.aborted ? call.signal.reason : thrown);
    call.settle(error);
    sendError(context.response, error, surface.toError(inNamesOf(translated?.nameField, error), call.requestId));
  }
}
