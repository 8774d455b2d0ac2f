import { joinText } from "./chat-completion.ts";
import { type Fields, isFields, listOf } from "./sse-data.ts";

/** Makes the content of a Mistral message: text, or a list of content chunks if one of the deltas has a list. */
export function joinMistralContent(contents: readonly unknown[]): unknown {
  if (!contents.some((content) => Array.isArray(content))) return joinText(contents);
  const chunks = contents.flatMap((content) =>
    typeof content === "string" ? { type: "text", text: content } : content,
  );
  return chunks.filter(isFields).reduce<readonly Fields[]>(joinChunk, []);
}

/** Merges consecutive content chunks of text or of reasoning. A signature completes a chunk. */
function joinChunk(chunks: readonly Fields[], chunk: Fields): readonly Fields[] {
  const last = chunks.at(-1);
  const join = joinContent[String(chunk.type)];
  const isNew = last === undefined || last.type !== chunk.type || last.signature !== undefined;
  if (isNew || join === undefined) return [...chunks, chunk];
  return [...chunks.slice(0, -1), { ...last, ...chunk, ...join([last, chunk]) }];
}

const joinContent: Readonly<Record<string, (chunks: readonly Fields[]) => Fields>> = {
  text: (chunks) => ({ text: joinText(chunks.map(({ text }) => text)) }),
  thinking: (chunks) => ({
    thinking: [{ type: "text", text: joinText(listOf(chunks, "thinking").map(({ text }) => text)) }],
  }),
};
