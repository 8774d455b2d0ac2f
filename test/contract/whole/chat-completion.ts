import type { WholeForm } from "../dialect.ts";
import { dataOf, type Fields, lastValues, listOf, objectsOf } from "./sse-data.ts";

/** How one server's whole answers differ from OpenAI's. */
interface Differences {
  readonly provenance?: string;
  /** Comes before the JSON text. */
  readonly prefix?: string;
  /** Further fields of every choice. */
  readonly choice?: object;
  /** The content of a message, from those of its deltas. Default: their text, or null. */
  readonly joinContent?: (contents: readonly unknown[]) => unknown;
}

/**
 * The rule from a stream of `chat.completion.chunk` to one `chat.completion`: the deltas of a choice become its message,
 * lists become one list, and of every other field the last value stays.
 */
export function chatCompletion({
  provenance,
  prefix = "",
  choice = {},
  joinContent = joinText,
}: Differences = {}): WholeForm {
  return {
    provenance:
      provenance ?? "ChatCompletion beside ChatCompletionChunk in resources/chat/completions of openai 7.55.0",
    toBody(wire) {
      const chunks = dataOf(wire);
      if (chunks === undefined) return undefined;
      const { choices: _, x_groq: __, ...envelope } = lastValues(chunks);
      const pieces = Map.groupBy(listOf(chunks, "choices"), ({ index }) => Number(index));
      const choices = [...pieces]
        .sort(([a], [b]) => a - b)
        .map(([, own]) => ({ ...toChoice(own, joinContent), ...choice }));
      // groq-sdk 1.6.0: in a whole answer the usage is where OpenAI has it.
      const usage = objectsOf(chunks, "x_groq").at(-1)?.usage;
      return `${prefix}${JSON.stringify({ ...envelope, ...(usage !== undefined && { usage }), object: "chat.completion", choices })}`;
    },
  };
}

function toChoice(pieces: readonly Fields[], joinContent: (contents: readonly unknown[]) => unknown): Fields {
  const { delta: _, ...last } = lastValues(pieces);
  const deltas = objectsOf(pieces, "delta");
  const joined = ["logprobs", "reasoning_logprobs"].flatMap((field) => {
    const lists = objectsOf(pieces, field);
    return lists.length > 0 ? [[field, joinLists(lists)] as const] : [];
  });
  return { ...last, message: toMessage(deltas, joinContent), ...Object.fromEntries(joined) };
}

function toMessage(deltas: readonly Fields[], joinContent: (contents: readonly unknown[]) => unknown): Fields {
  const texts = ["refusal", "reasoning", "reasoning_content"].map((field) => [
    field,
    joinText(deltas.map((delta) => delta[field])),
  ]);
  const calls = joinCalls(listOf(deltas, "tool_calls"));
  const details = listOf(deltas, "reasoning_details");
  return {
    ...lastValues(deltas),
    role: "assistant",
    content: joinContent(deltas.map(({ content }) => content)),
    ...Object.fromEntries(texts.filter(([, text]) => text !== null)),
    ...(calls.length > 0 && { tool_calls: calls }),
    ...(details.length > 0 && { reasoning_details: details }),
  };
}

/** The text of all pieces; null if none is text. */
export function joinText(pieces: readonly unknown[]): string | null {
  const texts = pieces.filter((piece) => typeof piece === "string");
  return texts.length > 0 ? texts.join("") : null;
}

function joinLists(all: readonly Fields[]): Fields {
  const fields = new Set(all.flatMap(Object.keys));
  return Object.fromEntries([...fields].map((field) => [field, listOf(all, field)]));
}

/** Fragments with one index are one call; one without an index is a whole call. A whole answer has no indexes. */
function joinCalls(fragments: readonly Fields[]): readonly Fields[] {
  const byIndex = Map.groupBy(fragments, ({ index }) => index ?? Symbol("a call of its own"));
  return [...byIndex.values()].map((own) => {
    const called = objectsOf(own, "function");
    const { index: _, ...last } = lastValues(own);
    const name = called.map((one) => one.name).find((text) => text !== undefined && text !== "");
    return { ...last, function: { name, arguments: joinText(called.map((one) => one.arguments)) } };
  });
}
