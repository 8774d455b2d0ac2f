import { admitCall } from "../../calls/admit-call.ts";
import type { Call } from "../../calls/call.ts";
import { countTokens } from "../../calls/count-tokens.ts";
import { toGatewayError } from "../../errors.ts";
import { beginCall } from "./begin-call.ts";
import { discardRest } from "./body.ts";
import { readRequest } from "./read-request.ts";
import type { Route, RouteContext } from "./route.ts";
import { sendError, sendJson } from "./send.ts";
import { callRequest, inNamesOf } from "./serve-surface.ts";
import type { ChatSurface, Translated } from "./surface.ts";

/** Endpoint that counts the input tokens of a request to a chat API. */
interface CountEndpoint {
  /** Method name in call records. */
  readonly name: string;
  readonly path: string;
  /** The chat API. Its translation also takes bodies of this endpoint. */
  readonly surface: ChatSurface;
  /** Returns the JSON value of the response. */
  toResponse(tokens: number): unknown;
}

/** Makes the route of an endpoint that counts tokens. It asks no provider. */
export function countRoute(endpoint: CountEndpoint): Route {
  return {
    name: endpoint.name,
    method: "POST",
    path: endpoint.path,
    async handle(context) {
      const { request, maxRequestBytes } = context;
      const call = beginCall(context, { name: endpoint.name, mayCost: false, stream: false }, endpoint.surface.toError);
      if (call !== undefined) await serveCount(call, endpoint, context);
      if (!request.complete) discardRest(request, maxRequestBytes);
    },
  };
}

async function serveCount(call: Call, { surface, toResponse }: CountEndpoint, context: RouteContext): Promise<void> {
  let translated: Translated | undefined;
  try {
    await admitCall(call);
    const { value, request } = await readRequest(call, context);
    translated = surface.translate(value, request);
    const { tokens } = await countTokens(call, { ...callRequest(surface, translated), plansStream: true });
    sendJson(context.response, 200, toResponse(tokens));
    call.settle();
  } catch (thrown) {
    const error = toGatewayError(call.signal.aborted ? call.signal.reason : thrown);
    call.settle(error);
    sendError(context.response, error, surface.toError(inNamesOf(translated, error), call.requestId));
  }
}
