import { nearest } from "../nearest.ts";

/** Returns the fix for an unknown name: the nearest known name, else all known names. */
export function suggest(name: string, known: readonly string[]): string {
  const [candidate] = nearest(name, known, 1);
  if (candidate !== undefined) return `did you mean \`${candidate}\`?`;
  return known.length > 0 ? `write one of ${known.join(", ")}` : "remove it";
}
