import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { ExactJson } from "./exact-json.ts";

/**
 * Merges provider options into an upstream body: objects are merged, lists appended, and other values replace those of
 * the body.
 */
export function mergeOptions<Body extends object>(body: Body, options: JsonObject | undefined): Body {
  if (options === undefined) return body;
  const merged = { ...body };
  for (const [key, theirs] of Object.entries(options)) {
    const ours: unknown = Object.hasOwn(body, key) ? Reflect.get(body, key) : undefined;
    const value = mergeValue(ours, theirs);
    // Assigning to `__proto__` would replace the prototype.
    if (key === "__proto__") Object.defineProperty(merged, key, { value, ...ordinary });
    else Reflect.set(merged, key, value);
  }
  return merged;
}

/** Attributes of a property that an assignment makes. */
const ordinary = { writable: true, enumerable: true, configurable: true } as const;

function mergeValue(ours: unknown, theirs: JsonValue): unknown {
  if (Array.isArray(ours) && Array.isArray(theirs)) return [...ours, ...theirs];
  const areObjects = isPlainObject(ours) && typeof theirs === "object" && theirs !== null && !Array.isArray(theirs);
  return areObjects ? mergeOptions(ours, theirs) : theirs;
}

function isPlainObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof ExactJson);
}
