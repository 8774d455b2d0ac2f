import { z } from "zod";
import type { ReportProblem } from "./config-error.ts";
import { isTree, type Tree } from "./config-file.ts";
import { fixOf } from "./validate.ts";

/** What a schema expects. `scalar` includes mappings that the schema reads as one value, such as headers. */
type Shape =
  | { readonly kind: "mapping"; readonly keys: Readonly<Record<string, z.core.$ZodType>> }
  | { readonly kind: "named"; readonly entry: z.core.$ZodType }
  | { readonly kind: "list"; readonly item: z.core.$ZodType }
  | { readonly kind: "scalar" };

/**
 * Removes keys without a value. Such a key is unset: every line below a section can be commented out. Reports those that
 * say that something exists, such as an entry of `routes`, and what a mapping or list in it must have: without them, the
 * file would mean something else than it seems to, such as an account without limits.
 */
export function withoutUnset(tree: Tree, schema: z.core.$ZodType, report: ReportProblem): Tree {
  return cleanMapping(tree, schema, "", true, report);
}

/** @param isSection whether the mapping is a section with defaults, in sections with defaults */
function cleanMapping(
  tree: Tree,
  schema: z.core.$ZodType,
  path: string,
  isSection: boolean,
  report: ReportProblem,
): Tree {
  const shape = shapeOf(schema);
  const entries = Object.entries(tree).flatMap(([key, value]): [string, unknown][] => {
    const child = childOf(shape, key);
    const childPath = path === "" ? key : `${path}.${key}`;
    // The schema reports unknown keys, and reads the others as a whole.
    if (child === undefined) return [[key, value]];
    const isDefault = isSection && shape.kind === "mapping" && child instanceof z.ZodPrefault;
    if (value !== null) return [[key, clean(value, child, childPath, isDefault, report)]];
    if (shapeOf(child).kind !== "scalar" && !isDefault) {
      report(childPath, "has no value", `${fixOf(issueOf(child))}, or remove the line`);
    }
    return [];
  });
  return Object.fromEntries(entries);
}

function clean(
  value: unknown,
  schema: z.core.$ZodType,
  path: string,
  isSection: boolean,
  report: ReportProblem,
): unknown {
  const shape = shapeOf(schema);
  if (isTree(value) && shape.kind !== "scalar") return cleanMapping(value, schema, path, isSection, report);
  if (Array.isArray(value) && shape.kind === "list") {
    return value.map((item, index) => clean(item, shape.item, `${path}[${index}]`, false, report));
  }
  return value;
}

function childOf(shape: Shape, key: string): z.core.$ZodType | undefined {
  if (shape.kind === "named") return shape.entry;
  return shape.kind === "mapping" && Object.hasOwn(shape.keys, key) ? shape.keys[key] : undefined;
}

/** Returns the shape of a schema, whether or not the value can be missing. */
export function shapeOf(schema: z.core.$ZodType): Shape {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodPrefault) return shapeOf(schema.def.innerType);
  if (schema instanceof z.ZodObject) return { kind: "mapping", keys: schema.shape };
  if (schema instanceof z.ZodRecord) return { kind: "named", entry: schema.valueType };
  if (schema instanceof z.ZodArray) return { kind: "list", item: schema.element };
  return { kind: "scalar" };
}

/** Returns the zod issue of a schema for a value that has another type. */
function issueOf(schema: z.core.$ZodType): z.core.$ZodIssueInvalidType {
  const issue = z.safeParse(schema, "").error?.issues[0];
  if (issue?.code !== "invalid_type") throw new Error("a mapping or list accepts a text");
  return issue;
}
