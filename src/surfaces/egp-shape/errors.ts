import type { FieldViolation, GatewayError } from "../../errors.ts";
import { plainStep } from "../../field-path.ts";
import { httpStatusOf } from "../kit/http-status.ts";
import type { ServerSentEvent } from "../kit/server-sent-event.ts";
import type { SurfaceError } from "../kit/surface.ts";

/** Violation in FastAPI's format. `type` is an error type of pydantic 1, which EGP's backend uses. */
interface Detail {
  readonly loc: readonly (string | number)[];
  readonly msg: string;
  readonly type: string;
}

const types: ReadonlyMap<string, string> = new Map([
  ["missing", "value_error.missing"],
  ["unknown_property", "value_error.extra"],
  ["invalid_type", "type_error"],
]);

/** `loc` prefix of fields outside the body. */
const places: ReadonlyMap<string | number, string> = new Map([
  ["model_deployment_id", "path"],
  ["x-selected-account-id", "header"],
]);

/**
 * Translates an error to EGP's `{detail}`: a list of violations if the fields are known, otherwise a text.
 * INVALID_REQUEST with fields has status 422; other errors have the default status of their reason.
 */
export function egpError(error: GatewayError, requestId: string): SurfaceError {
  const { reason, facts } = error;
  const fields = facts.fields ?? [];
  if (fields.length === 0) return { status: httpStatusOf(error), body: { detail: textOf(error, requestId) } };
  return { status: reason === "INVALID_REQUEST" ? 422 : httpStatusOf(error), body: { detail: fields.map(toDetail) } };
}

/**
 * Returns the event that ends a failed stream. The format is that of LLM Engine, Scale's inference server
 * (`handle_streaming_exception` in its routes). The status code is 400 or, for any other error, 500.
 */
export function egpStreamError(error: GatewayError, requestId: string): ServerSentEvent {
  return {
    data: {
      request_id: requestId,
      error: {
        status_code: httpStatusOf(error) === 400 ? 400 : 500,
        content: { error: textOf(error, requestId), timestamp: new Date().toISOString() },
      },
    },
  };
}

function toDetail({ field, description, rule = "" }: FieldViolation): Detail {
  const steps = field.map(plainStep);
  const loc = [places.get(steps[0] ?? "") ?? "body", ...steps];
  return { loc, msg: description, type: types.get(rule) ?? "value_error" };
}

/** Returns the error text. An INTERNAL error adds the request ID, to find the cause in the log. */
function textOf({ status, message }: GatewayError, requestId: string): string {
  return status === "INTERNAL" ? `${message}; the request id is ${requestId}` : message;
}
