/**
 * A surface's names for the fields of ChatRequest: from the contract's path to the surface's, both with dots and with
 * `*` for each index. What is below a field that is named goes with it, and the longest name counts.
 */
export type FieldNames = Readonly<Record<string, string>>;

/**
 * The surface's name for the field at a path of the contract, such as `chat.messages[0].parts[1].media`. Paths with
 * `chat.` before them and without are the same. A field that the surface does not have keeps the contract's name.
 */
export function nameField(names: FieldNames, path: string): string {
  const steps = stepsOf(path);
  const pattern = steps.map((step) => (isIndex(step) ? "*" : step));
  for (let length = steps.length; length > 0; length--) {
    const known = pattern.slice(0, length).join(".");
    const own = Object.hasOwn(names, known) ? names[known] : undefined;
    if (own === undefined) continue;
    const indexes = steps.slice(0, length).filter(isIndex);
    const named = own.split(".").map((step) => (step === "*" ? (indexes.shift() ?? step) : step));
    return [...named, ...steps.slice(length)].join(".");
  }
  return steps.join(".");
}

/** `chat.messages[0].role` and `chat.logit_bias["7"]` as steps. */
function stepsOf(path: string): readonly string[] {
  return path
    .replace(/^chat\./, "")
    .replace(/\["?([^\]"]*)"?\]/g, ".$1")
    .split(".");
}

function isIndex(step: string): boolean {
  return /^\d+$/.test(step);
}
