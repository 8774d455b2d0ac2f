import { create, type DescMessage, type MessageShape } from "@bufbuild/protobuf";
import { type FieldViolation, GatewayError, invalidRequest } from "../../errors.ts";
import { isSurelyValid } from "./surely-valid.ts";

type Rules = typeof import("./annotation-rules.ts");

/**
 * Protovalidate, once a message needed it. Most messages are surely valid, and protovalidate takes 300 ms of CPU time,
 * most of it to compile the rules of a ChatRequest, and 16 MiB.
 */
let rules: Rules | undefined;

/**
 * Loads protovalidate, and compiles the rules of a message. A call after a failure loads it again, except under early
 * patches of Node.js 22 and 24 (22.19, 24.0), which remember the failure.
 */
export async function loadRules(schema: DescMessage): Promise<Rules> {
  try {
    rules ??= await import("./annotation-rules.ts");
    await rules.compileRules(schema);
    return rules;
  } catch (error) {
    throw new GatewayError("INTERNAL", "the request could not be validated", { cause: error });
  }
}

/** Compiles the check of a message, which takes some ms with its fields, before the first one comes. */
export function prepareCheck(schema: DescMessage): void {
  isSurelyValid(schema, create(schema));
}

/**
 * Returns a message's violations of the proto annotations, up to `mostViolations`. For a message with more than 20,000
 * items in lists and maps, returns only the first.
 */
export async function annotationViolations<Desc extends DescMessage>(
  schema: Desc,
  message: MessageShape<Desc>,
): Promise<readonly FieldViolation[]> {
  if (isSurelyValid(schema, message)) return [];
  return (await loadRules(schema)).allViolations(schema, message);
}

/** Throws INVALID_REQUEST with all annotation violations if the message has any. */
export async function requireValid<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): Promise<void> {
  const violations = await annotationViolations(schema, message);
  if (violations.length > 0) throw invalidRequest(violations);
}

/** Whether `firstViolation` needs `loadRules` first. */
export function needsRules<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): boolean {
  return rules?.isCompiled(schema) !== true && !isSurelyValid(schema, message);
}

/** Returns the first violation of the proto annotations, or undefined. */
export function firstViolation<Desc extends DescMessage>(
  schema: Desc,
  message: MessageShape<Desc>,
): FieldViolation | undefined {
  if (isSurelyValid(schema, message)) return undefined;
  if (rules === undefined) throw new Error("the rules of the annotations are not loaded");
  return rules.firstOf(schema, message);
}
