import { type FieldViolation, fieldText, type GatewayError, invalidRequest } from "../../errors.ts";
import type { Translated } from "./surface.ts";

/** Returns the message: all field violations, otherwise the error's text. INTERNAL adds the request ID, for the log. */
export function messageOf(error: GatewayError, requestId: string, describe = describeField, separator = "; "): string {
  const { fields } = error.facts;
  if (fields !== undefined && fields.length > 0) return fields.map(describe).join(separator);
  return error.status === "INTERNAL" ? `${error.message} (request ${requestId})` : error.message;
}

function describeField(violation: FieldViolation): string {
  return `${fieldText(violation)}: ${violation.description}`;
}

/** Returns an error whose fields have the names of the HTTP API. `nameField` is undefined if the body is not translated. */
export function inNamesOf(nameField: Translated["nameField"] | undefined, error: GatewayError): GatewayError {
  const { reason, message, facts } = error;
  if (nameField === undefined || facts.fields === undefined) return error;
  const fields = facts.fields.map(
    (violation): FieldViolation =>
      violation.root === "body" ? violation : { ...violation, root: "body", field: nameField(violation.field) },
  );
  const text = reason === "INVALID_REQUEST" ? invalidRequest(fields).message : message;
  return error.with({ fields }, text);
}
