import type { CallSource } from "../../calls/call-environment.ts";
import { GatewayError } from "../../errors.ts";

/**
 * Rejects a body whose content type is not JSON. If no API key is required, this stops web pages from making calls
 * through a visitor's browser: before it sends JSON to another site, a browser sends a CORS preflight request, which
 * Dragoman does not allow (Fetch standard, CORS-safelisted request-header).
 */
export function requireJson({ requestHeader }: CallSource): void {
  const type = requestHeader.get("content-type")?.split(";", 1)[0]?.trim() ?? "";
  if (/^application\/([\w.-]+\+)?json$/i.test(type)) return;
  throw new GatewayError("UNSUPPORTED_ENCODING", "the body must be JSON; send content-type: application/json");
}
