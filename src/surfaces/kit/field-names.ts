import type { FieldPath, FieldStep } from "../../field-path.ts";

/**
 * Map from ChatRequest field paths to body field paths of an HTTP API, both dotted, with `*` for each index. An entry
 * also applies to all fields below its path; the longest matching path wins. If the body path is empty, the
 * fields below the ChatRequest path are at the top level of the body.
 */
export type FieldNames = Readonly<Record<string, string>>;

/** Returns the body path of a ChatRequest field. A path without an entry stays unchanged. */
export function nameField(names: FieldNames, path: FieldPath): FieldPath {
  const pattern = path.map(patternStep);
  for (let length = path.length; length > 0; length--) {
    const known = pattern.slice(0, length).join(".");
    const bodyPath = Object.hasOwn(names, known) ? names[known] : undefined;
    if (bodyPath === undefined) continue;
    const indexes = path.slice(0, length).filter((step) => typeof step === "number");
    const named = bodyPath === "" ? [] : bodyPath.split(".");
    return [...named.map((step) => (step === "*" ? (indexes.shift() ?? step) : step)), ...path.slice(length)];
  }
  return path;
}

function patternStep(step: FieldStep): string {
  if (typeof step === "number") return "*";
  return String(typeof step === "string" ? step : step.key);
}
