import { nearest } from "../nearest.ts";

/** What to write instead of an unknown name. */
export function suggest(name: string, known: readonly string[]): string {
  const [candidate] = nearest(name, known, 1);
  return candidate === undefined ? `known here: ${known.join(", ") || "none"}` : `did you mean \`${candidate}\`?`;
}
