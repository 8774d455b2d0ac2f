import type { FieldPath, FieldStep } from "../../field-path.ts";

/**
 * A surface's names for the fields of ChatRequest: from the contract's path to the surface's, both with dots and with
 * `*` for each index. What is below a field that is named goes with it, and the longest name counts. An empty name:
 * what is below the field is at the top of the body.
 */
export type FieldNames = Readonly<Record<string, string>>;

/** The surface's path of a field. A field that the surface does not have keeps the contract's. */
export function nameField(names: FieldNames, path: FieldPath): FieldPath {
  const pattern = path.map(patternStep);
  for (let length = path.length; length > 0; length--) {
    const known = pattern.slice(0, length).join(".");
    const own = Object.hasOwn(names, known) ? names[known] : undefined;
    if (own === undefined) continue;
    const indexes = path.slice(0, length).filter((step) => typeof step === "number");
    const named = own === "" ? [] : own.split(".");
    return [...named.map((step) => (step === "*" ? (indexes.shift() ?? step) : step)), ...path.slice(length)];
  }
  return path;
}

function patternStep(step: FieldStep): string {
  if (typeof step === "number") return "*";
  return String(typeof step === "string" ? step : step.key);
}
