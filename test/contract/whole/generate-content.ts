import type { WholeForm } from "../dialect.ts";
import { dataOf, type Fields, lastValues, listOf, objectsOf } from "./sse-data.ts";

/**
 * Converts the chunks of streamGenerateContent to one generateContent response, which has the same type. It merges the
 * parts of each candidate and keeps the last value of every other field and of each usage count.
 */
export const generateContentResponse: WholeForm = {
  provenance: "GenerateContentResponse of @google/genai 3.1.0, the type of both methods",
  toBody(wire) {
    const chunks = dataOf(wire);
    if (chunks === undefined) return undefined;
    const candidates = Map.groupBy(listOf(chunks, "candidates"), ({ index }) => Number(index));
    const usages = objectsOf(chunks, "usageMetadata");
    return JSON.stringify({
      ...lastValues(chunks),
      ...(candidates.size > 0 && { candidates: [...candidates.values()].map(toCandidate) }),
      ...(usages.length > 0 && { usageMetadata: lastValues(usages) }),
    });
  },
};

function toCandidate(pieces: readonly Fields[]): Fields {
  const contents = objectsOf(pieces, "content");
  const parts = listOf(contents, "parts").reduce<readonly Fields[]>(joinPart, []);
  return { ...lastValues(pieces), content: { role: "model", ...(parts.length > 0 && { parts }) } };
}

/** Appends text to the previous part if both contain only text and have the same `thought`. Otherwise adds the part. */
function joinPart(parts: readonly Fields[], part: Fields): readonly Fields[] {
  const last = parts.at(-1);
  const isPlain = ({ text, thought: _, ...more }: Fields) => typeof text === "string" && Object.keys(more).length === 0;
  if (last === undefined || !isPlain(last) || !isPlain(part) || last.thought !== part.thought) return [...parts, part];
  return [...parts.slice(0, -1), { ...last, text: `${last.text}${part.text}` }];
}
