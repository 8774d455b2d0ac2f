import { abortable } from "../../abortable.ts";
import type { Call } from "../../calls/call.ts";
import type { CallSource } from "../../calls/call-environment.ts";
import { GatewayError } from "../../errors.ts";
import { Pace } from "../../pace.ts";
import { parseBody, readBody } from "./body.ts";
import type { RouteContext } from "./route.ts";
import type { SurfaceRequest } from "./surface.ts";

/** JSON body of a request, and the input of its translation besides the body. */
interface ReadBody {
  readonly value: unknown;
  readonly request: SurfaceRequest;
}

/** Reads the JSON body of a call. */
export async function readRequest(
  call: Call,
  { parameters, request, maxRequestBytes }: RouteContext,
): Promise<ReadBody> {
  const { requestHeader: headers } = call.source;
  requireJson(call.source);
  const body = await abortable(
    readBody(request, maxRequestBytes, (bytes) => call.holdRequest(bytes)),
    call.signal,
  );
  call.requestComplete();
  const { catalog, rejectsOptions = false } = call.snapshot;
  const pace = new Pace();
  const value = parseBody(body, call.maxValues);
  if (pace.isLong) await pace.nextTurn();
  call.signal.throwIfAborted();
  return { value, request: { parameters, headers, catalog, rejectsOptions } };
}

/**
 * Rejects a body whose content type is not JSON. If no API key is required, this stops web pages from making calls
 * through a visitor's browser: before it sends JSON to another site, a browser sends a CORS preflight request, which
 * Dragoman does not allow (Fetch standard, CORS-safelisted request-header).
 */
function requireJson({ requestHeader }: CallSource): void {
  const type = requestHeader.get("content-type")?.split(";", 1)[0]?.trim() ?? "";
  if (/^application\/([\w.-]+\+)?json$/i.test(type)) return;
  throw new GatewayError("UNSUPPORTED_ENCODING", "the body must be JSON; send content-type: application/json");
}
