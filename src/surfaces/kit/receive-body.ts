import type { IncomingMessage } from "node:http";
import { abortable } from "../../abortable.ts";
import type { Call } from "../../calls/call.ts";
import type { CallSource } from "../../calls/call-environment.ts";
import { GatewayError } from "../../errors.ts";
import { Pace } from "../../pace.ts";
import { parseBody, readBody } from "./body.ts";

/** Reads and parses the JSON body of a call's request. Throws as `readBody` and `parseBody` do. */
export async function receiveBody(call: Call, request: IncomingMessage, maxRequestBytes: number): Promise<unknown> {
  requireJson(call.source);
  const body = await abortable(
    readBody(request, maxRequestBytes, (bytes) => call.holdRequest(bytes)),
    call.signal,
  );
  call.requestComplete();
  const pace = new Pace();
  const parsed = parseBody(body, call.maxValues);
  if (pace.isLong) await pace.nextTurn();
  call.signal.throwIfAborted();
  return parsed;
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
