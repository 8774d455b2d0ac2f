import { nearest } from "../nearest.ts";

/** Returns the nearest known name as a question. Undefined: no name is near. For names too many to list. */
export function didYouMean(name: string, names: Iterable<string>): string | undefined {
  const [candidate] = nearest(name, names, 1);
  return candidate === undefined ? undefined : `did you mean \`${candidate}\`?`;
}

/** Returns the fix for an unknown name: the nearest known name, else all known names. */
export function suggest(name: string, known: readonly string[]): string {
  return didYouMean(name, known) ?? (known.length > 0 ? `write one of ${known.join(", ")}` : "remove it");
}
