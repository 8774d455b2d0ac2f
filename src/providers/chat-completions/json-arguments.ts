import type { UpstreamCall } from "../../upstream/upstream-call.ts";
import { itemsOf, membersOf } from "../kit/json-text.ts";
import { isFields } from "../kit/metadata.ts";
import { parseJson } from "../kit/parse-answer.ts";

/** The arguments of a tool call, if they are not text. */
const jsonArguments = /"arguments"\s*:\s*[^"\sn]/;

/**
 * Parses a chunk or a whole response. Some servers send the arguments of a tool call as a JSON value and not as its
 * text: they become their exact text, because a parsed value would lose the digits of large numbers.
 */
export function parseChunk(data: string, call: UpstreamCall): unknown {
  const value = parseJson(data, call);
  if (!jsonArguments.test(data) || !isFields(value)) return value;
  each(value.choices, membersOf(data).get("choices"), (choice, choiceJson) => {
    for (const name of ["delta", "message"]) {
      const message = choice[name];
      if (!isFields(message)) continue;
      const members = membersOf(membersOf(choiceJson).get(name) ?? "");
      each(message.tool_calls, members.get("tool_calls"), (toolCall, json) => {
        writeText(toolCall.function, membersOf(json).get("function"));
      });
      writeText(message.function_call, members.get("function_call"));
    }
  });
  return value;
}

type Fields = Readonly<Record<string, unknown>>;

/** Calls `visit` with each object of a list and its exact text. */
function each(list: unknown, json: string | undefined, visit: (item: Fields, json: string) => void): void {
  if (!Array.isArray(list)) return;
  const texts = itemsOf(json ?? "");
  for (const [index, item] of list.entries()) if (isFields(item)) visit(item, texts[index] ?? "");
}

function writeText(called: unknown, json: string | undefined): void {
  if (!isFields(called) || typeof (called.arguments ?? "") === "string") return;
  Reflect.set(called, "arguments", membersOf(json ?? "").get("arguments"));
}
