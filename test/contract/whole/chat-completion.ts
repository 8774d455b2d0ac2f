import type { WholeForm } from "../dialect.ts";
import { dataOf, type Fields, lastValues, listOf, objectsOf } from "./sse-data.ts";

/** How a server's whole responses differ from OpenAI's. */
interface Differences {
  readonly provenance?: string;
  /** Text before the JSON. */
  readonly prefix?: string;
  /** Additional fields of every choice. */
  readonly choice?: object;
  /** Makes the content of a message from the contents of its deltas. Default: `joinText`. */
  readonly joinContent?: (contents: readonly unknown[]) => unknown;
}

/**
 * Converts a stream of `chat.completion.chunk` to one `chat.completion`. It merges the deltas of a choice into one
 * message, concatenates lists, and keeps the last value of every other field.
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
      const chunksByChoice = Map.groupBy(listOf(chunks, "choices"), ({ index }) => Number(index));
      const choices = [...chunksByChoice]
        .sort(([a], [b]) => a - b)
        .map(([, choiceChunks]) => ({ ...toChoice(choiceChunks, joinContent), ...choice }));
      // In whole responses Groq sends the usage in OpenAI's field (types of groq-sdk 1.6.0).
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
  const lists = ["reasoning_details", "annotations", "images"].map((field) => [field, listOf(deltas, field)] as const);
  const tools = new Map(listOf(deltas, "executed_tools").map((tool) => [tool.index, tool]));
  // A field that Dragoman does not know, of the case "facts without a field".
  const plans = objectsOf(deltas, "plan");
  return {
    ...lastValues(deltas),
    role: "assistant",
    content: joinContent(deltas.map(({ content }) => content)),
    ...Object.fromEntries(texts.filter(([, text]) => text !== null)),
    ...(calls.length > 0 && { tool_calls: calls }),
    ...Object.fromEntries(lists.filter(([, list]) => list.length > 0)),
    ...(tools.size > 0 && { executed_tools: [...tools.values()] }),
    ...(plans.length > 0 && { plan: { ...plans[0], steps: joinText(plans.map((fields) => fields.steps)) } }),
  };
}

/** Concatenates the pieces that are text. Returns null if there are none. */
export function joinText(pieces: readonly unknown[]): string | null {
  const texts = pieces.filter((piece) => typeof piece === "string");
  return texts.length > 0 ? texts.join("") : null;
}

function joinLists(all: readonly Fields[]): Fields {
  const fields = new Set(all.flatMap(Object.keys));
  return Object.fromEntries([...fields].map((field) => [field, listOf(all, field)]));
}

/** Merges tool call deltas by index. A delta without an index is a complete call. Whole responses have no indexes. */
function joinCalls(fragments: readonly Fields[]): readonly Fields[] {
  const byIndex = Map.groupBy(fragments, ({ index }) => index ?? Symbol("a complete call"));
  return [...byIndex.values()].map((deltas) => {
    const functions = objectsOf(deltas, "function");
    const { index: _, ...last } = lastValues(deltas);
    const name = functions.map((fields) => fields.name).find((text) => text !== undefined && text !== "");
    return { ...last, function: { name, arguments: joinText(functions.map((fields) => fields.arguments)) } };
  });
}
