/** Which names a row of the price table has, as @pydantic/genai-prices writes it. */
export type MatchLogic =
  | { readonly equals: string }
  | { readonly starts_with: string }
  | { readonly ends_with: string }
  | { readonly contains: string }
  | { readonly regex: string }
  | { readonly and: readonly MatchLogic[] }
  | { readonly or: readonly MatchLogic[] };

/**
 * What can follow the name of a model without making it another model: dates, versions of the same weights, and words
 * such as `latest`. Examples: `-20250929`, `-2024-08-06`, `-05-06`, `@20250929`, `-v1:0`, `:24k`, `-preview`.
 */
const sameModel =
  /^(?:[-@:.]?(?:v\d+(?:[.:]\d+)?|\d{4}-\d\d-\d\d|\d\d-\d\d(?:-\d{4})?|\d\d-\d{4}|\d{3,8}|latest|preview|exp|default|instruct)|:\d+k?)*$/;

/** Prefix of names of fine-tuned models, which customers choose. */
const fineTuned = /^ft:|\.ft-/;

/**
 * Returns whether a row applies to a model name. Case does not matter. A row that matches only a part of the name
 * applies if the rest says nothing else about the model. Otherwise `claude-sonnet-5-5` would cost what
 * `claude-sonnet-5` does, before the table knows it: an unknown price is better than a wrong one.
 *
 * @param wholeNames whether only rows that match the whole name apply
 */
export function matches(logic: MatchLogic, name: string, wholeNames = false): boolean {
  return matchesLower(logic, name.trim().toLowerCase(), wholeNames);
}

function matchesLower(logic: MatchLogic, name: string, wholeNames: boolean): boolean {
  if ("or" in logic) return logic.or.some((one) => matchesLower(one, name, wholeNames));
  if ("and" in logic) return logic.and.every((one) => matchesLower(one, name, wholeNames));
  if ("equals" in logic) return name === logic.equals.toLowerCase();
  if ("regex" in logic) return matchesPattern(new RegExp(logic.regex), name);
  if (wholeNames) return false;
  if ("starts_with" in logic) return isNamed(name, logic.starts_with, 0);
  if ("contains" in logic) return isNamed(name, logic.contains, name.indexOf(logic.contains.toLowerCase()));
  const end = logic.ends_with.toLowerCase();
  return isNamed(name, end, name.endsWith(end) ? name.length - end.length : -1);
}

function matchesPattern(pattern: RegExp, name: string): boolean {
  const found = pattern.exec(name);
  // An empty match is a condition on the whole name. With `$`, the pattern itself says how the name ends.
  if (found === null || found[0] === "" || pattern.source.endsWith("$")) return found !== null;
  return isNamed(name, found[0], found.index);
}

/** Returns whether the part of a name at an index is a name of the same model. */
function isNamed(name: string, part: string, index: number): boolean {
  const text = part.toLowerCase();
  if (index < 0 || !name.startsWith(text, index)) return false;
  if (index > 0 && !/[/.:@]/.test(name.charAt(index - 1))) return false;
  if (fineTuned.test(text)) return true;
  let end = index + text.length;
  // A part can end within a number: the 20250514 of `claude-sonnet-4-2025`.
  if (/\d/.test(name.charAt(end))) while (/\d/.test(name.charAt(end - 1))) end--;
  return sameModel.test(name.slice(end));
}
