import type { Call } from "../../calls/call.ts";
import type { CallMethod } from "../../calls/call-method.ts";
import { toGatewayError } from "../../errors.ts";
import { sourceOf } from "./http-source.ts";
import type { RouteContext } from "./route.ts";
import { sendError } from "./send.ts";
import type { ToError } from "./surface.ts";

/**
 * Begins the call of a request. If the service takes no new calls, sends the error and returns undefined.
 *
 * @param requestIdHeader the API's own name of the header `x-request-id`, if it has one
 */
export function beginCall(
  { calls, request, response }: RouteContext,
  method: CallMethod,
  toError: ToError,
  requestIdHeader?: string,
): Call | undefined {
  try {
    const call = calls.begin(sourceOf(request, response), method);
    response.setHeader("x-request-id", call.requestId);
    if (requestIdHeader !== undefined) response.setHeader(requestIdHeader, call.requestId);
    return call;
  } catch (thrown) {
    const error = toGatewayError(thrown);
    sendError(response, error, toError(error, ""));
    return undefined;
  }
}
