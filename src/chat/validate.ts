import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { pathToString } from "@bufbuild/protobuf/reflect";
import { createValidator } from "@bufbuild/protovalidate";
import { type FieldViolation, GatewayError, invalidRequest } from "../errors.ts";

const patterns = new Map<string, RegExp>();

const validator = createValidator({
  // The patterns are our own, few, and linear; the library's default engine is for patterns from strangers.
  regexMatch(pattern, value) {
    let compiled = patterns.get(pattern);
    if (compiled === undefined) {
      compiled = new RegExp(pattern, "u");
      patterns.set(pattern, compiled);
    }
    return compiled.test(value);
  },
});

/** Every annotation of the proto that the message breaks. */
export function annotationViolations<Desc extends DescMessage>(
  schema: Desc,
  message: MessageShape<Desc>,
): readonly FieldViolation[] {
  const result = validator.validate(schema, message);
  switch (result.kind) {
    case "valid":
      return [];
    case "invalid":
      return result.violations.map((violation) => ({
        field: pathToString(violation.field),
        description: violation.message,
        rule: violation.ruleId,
      }));
    case "error":
      throw new GatewayError("INTERNAL", "the request could not be validated", { cause: result.error });
    default:
      return result satisfies never;
  }
}

/** Throws INVALID_REQUEST with every annotation that the message breaks. */
export function requireValid<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): void {
  const violations = annotationViolations(schema, message);
  if (violations.length > 0) throw invalidRequest(violations);
}
