import { create, type DescMessage, type MessageShape } from "@bufbuild/protobuf";
import { createValidator } from "@bufbuild/protovalidate";
import { type FieldViolation, GatewayError, mostViolations } from "../../errors.ts";
import { type FieldPath, fromProtoPath } from "../../field-path.ts";
import { Pace } from "../../pace.ts";
import { annotationText } from "./annotation-texts.ts";

const patterns = new Map<string, RegExp>();

/** Uses JavaScript's regex engine, not the library's safe one: the patterns in the proto files take linear time. */
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

/** Messages whose rules are compiled. */
const compiled = new Set<DescMessage>();

/** Whether the rules of a message are compiled. */
export function isCompiled(schema: DescMessage): boolean {
  return compiled.has(schema);
}

/**
 * Compiles the rules of a message before its first validation. Nested messages have their own turns of the event loop:
 * all rules of a ChatRequest at once would hold up all calls for 200 ms.
 */
export async function compileRules(schema: DescMessage): Promise<void> {
  if (compiled.has(schema)) return;
  for (const message of nestedFirst(schema)) {
    if (compiled.has(message)) continue;
    for (const validator of [untilFirst, thorough]) {
      validator.validate(message, create(message));
      await new Pace().nextTurn();
    }
    compiled.add(message);
  }
}

/** Returns a message after all messages that its fields can have, at all levels. */
function nestedFirst(schema: DescMessage, seen = new Set<DescMessage>()): readonly DescMessage[] {
  if (seen.has(schema)) return [];
  seen.add(schema);
  const nested = schema.fields.flatMap(({ message }) => (message === undefined ? [] : nestedFirst(message, seen)));
  return [...nested, schema];
}

/**
 * Maximum number of list and map items in a message for which all violations are collected. A violation takes about 400
 * bytes, and a message of 16 MiB can have eight million items.
 */
const mostItems = 20_000;

/** Returns the violations of a message for `annotationViolations`. */
export function allViolations<Desc extends DescMessage>(
  schema: Desc,
  message: MessageShape<Desc>,
): readonly FieldViolation[] {
  const first = untilFirst.validate(schema, message);
  if (first.kind !== "invalid" || itemsOf(message) > mostItems) return violationsIn(first);
  return violationsIn(thorough.validate(schema, message)).slice(0, mostViolations);
}

/** Returns the first violation of a message for `firstViolation`. */
export function firstOf<Desc extends DescMessage>(
  schema: Desc,
  message: MessageShape<Desc>,
): FieldViolation | undefined {
  return violationsIn(untilFirst.validate(schema, message))[0];
}

/** Counts the items in a value at all levels. Stops early above `mostItems`. */
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
        description: annotationText(violation),
        rule: violation.ruleId,
      }));
    case "error":
      throw new GatewayError("INTERNAL", "the request could not be validated", { cause: result.error });
    default:
      return result satisfies never;
  }
}

/** Makes a path inside the field `chat` relative to the ChatRequest. Any other path stays relative to the message. */
function placeOf(path: FieldPath): Pick<FieldViolation, "field" | "root"> {
  const [first, ...rest] = path;
  return first === "chat" ? { field: rest } : { field: path, root: "message" };
}
