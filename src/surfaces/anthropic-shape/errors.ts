import type { GatewayError } from "../../errors.ts";
import { httpStatusOf } from "../kit/http-status.ts";
import type { SurfaceError } from "../kit/surface.ts";

/** Anthropic's error types, by HTTP status: https://platform.claude.com/docs/en/api/errors */
const types: Readonly<Record<number, string>> = {
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  413: "request_too_large",
  429: "rate_limit_error",
};

/** Translates an error to Anthropic's error response. */
export function toAnthropicError(error: GatewayError, requestId: string): SurfaceError {
  const status = httpStatusOf(error);
  const type = types[status] ?? (status >= 500 ? "api_error" : "invalid_request_error");
  return { status, body: { type: "error", error: { type, message: error.message }, request_id: requestId || null } };
}
