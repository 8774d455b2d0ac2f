import type { FieldViolation, GatewayError } from "../../errors.ts";
import { plainStep } from "../../field-path.ts";
import { httpStatusOf } from "../kit/http-status.ts";
import type { ServerSentEvent } from "../kit/server-sent-event.ts";
import type { SurfaceError } from "../kit/surface.ts";

/** A violation as FastAPI tells it. EGP's backend forbids further fields with pydantic 1, whose words `type` has. */
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

/** Fields that are not in the body. */
const places: ReadonlyMap<string | number, string> = new Map([
  ["model_deployment_id", "path"],
  ["x-selected-account-id", "header"],
]);

/**
 * An error of EGP: `{detail}`, a list of violations where fields are known, else text. A request that breaks the
 * schema or its bounds is 422; one that the model or the provider cannot serve has the status of its reason.
 */
export function egpError(error: GatewayError, requestId: string): SurfaceError {
  const { reason, facts } = error;
  const fields = facts.fields ?? [];
  if (fields.length === 0) return { status: httpStatusOf(error), body: { detail: textOf(error, requestId) } };
  return { status: reason === "INVALID_REQUEST" ? 422 : httpStatusOf(error), body: { detail: fields.map(toDetail) } };
}

/**
 * The event that ends a stream, as LLM Engine has it (`handle_streaming_exception` of its routes): 400 for what the
 * request is at fault for, 500 for everything else.
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

/** Faults inside the service tell nothing but where to look for them. */
function textOf({ status, message }: GatewayError, requestId: string): string {
  return status === "INTERNAL" ? `${message}; the request id is ${requestId}` : message;
}
