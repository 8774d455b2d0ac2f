import type { FieldViolation, GatewayError } from "../../errors.ts";
import { plainStep } from "../../field-path.ts";
import type { SurfaceError } from "../kit/surface.ts";
import { toOpenAiError } from "../openai-shape/errors.ts";

/** Translates an error: field violations become a list with status 422, other errors OpenAI's error object. */
export function toError(error: GatewayError, requestId: string): SurfaceError {
  const { fields } = error.facts;
  if (error.reason === "INVALID_REQUEST" && fields !== undefined) {
    return { status: 422, body: { detail: fields.map(toDetail) } };
  }
  return toOpenAiError(error, requestId);
}

/** Pydantic's error type for each rule that has one. */
const detailTypes: Readonly<Record<string, string>> = {
  missing: "missing",
  unknown_property: "extra_forbidden",
  invalid_type: "type_error",
  invalid_value: "literal_error",
};

function toDetail({ field, description, rule }: FieldViolation): object {
  return { loc: ["body", ...field.map(plainStep)], msg: description, type: detailTypes[rule ?? ""] ?? "value_error" };
}
