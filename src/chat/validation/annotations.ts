import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { createValidator } from "@bufbuild/protovalidate";
import { type FieldViolation, GatewayError, invalidRequest, mostViolations } from "../../errors.ts";
import { type FieldPath, fromProtoPath } from "../../field-path.ts";

const patterns = new Map<string, RegExp>();

/** The patterns are our own, few, and linear; the library's default engine is for patterns from strangers. */
function regexMatch(pattern: string, value: string): boolean {
  let compiled = patterns.get(pattern);
  if (compiled === undefined) {
    compiled = new RegExp(pattern, "u");
    patterns.set(pattern, compiled);
  }
  return compiled.test(value);
}

const untilFirst = createValidator({ regexMatch, failFast: true });
const thorough = createValidator({ regexMatch });

/**
 * Items of lists and maps, all together, of a message that is looked through for everything that is wrong with it. A
 * violation takes some 400 bytes, and 16 MiB can have eight million items.
 */
const mostItems = 20_000;

/** The annotations of the proto that the message breaks, up to `mostViolations`; of a huge message the first. */
export function annotationViolations<Desc extends DescMessage>(
  schema: Desc,
  message: MessageShape<Desc>,
): readonly FieldViolation[] {
  const first = untilFirst.validate(schema, message);
  if (first.kind !== "invalid" || itemsOf(message) > mostItems) return violationsIn(first);
  return violationsIn(thorough.validate(schema, message)).slice(0, mostViolations);
}

/** How many items a value has inside, all levels together; not all of them are counted once they are too many. */
function itemsOf(value: unknown): number {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return 0;
  const inside: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
  let items = inside.length;
  for (const item of inside) {
    if (items > mostItems) break;
    items += itemsOf(item);
  }
  return items;
}

function violationsIn(result: ReturnType<typeof thorough.validate>): readonly FieldViolation[] {
  switch (result.kind) {
    case "valid":
      return [];
    case "invalid":
      return result.violations.map((violation) => ({
        ...placeOf(fromProtoPath(violation.field)),
        description: violation.message,
        rule: violation.ruleId,
      }));
    case "error":
      throw new GatewayError("INTERNAL", "the request could not be validated", { cause: result.error });
    default:
      return result satisfies never;
  }
}

/** Where a path of the request message leads: into its ChatRequest, or to a field beside it. */
function placeOf(path: FieldPath): Pick<FieldViolation, "field" | "root"> {
  const [first, ...rest] = path;
  return first === "chat" ? { field: rest } : { field: path, root: "message" };
}

/** Throws INVALID_REQUEST with every annotation that the message breaks. */
export function requireValid<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): void {
  const violations = annotationViolations(schema, message);
  if (violations.length > 0) throw invalidRequest(violations);
}
