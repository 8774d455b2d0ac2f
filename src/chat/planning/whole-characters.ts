import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import { mapStrings } from "../../well-formed.ts";
import { firstChange, halfEscape } from "../validation/halves.ts";
import { adapt, type Draft } from "./draft.ts";

/**
 * Replaces each half of a surrogate pair in JSON text, such as `\ud83d` in arguments that a model wrote, with U+FFFD.
 * Many providers reject a body with a half. The entries have rejected halves outside JSON text.
 *
 * Runs first, so that no later step has to handle halves.
 */
export function replaceHalves(draft: Draft): Draft {
  if (!jsonTexts(draft.request).some((text) => halfEscape.test(text))) return draft;
  const request = mapStrings(draft.request, (text, name) => (jsonFields.has(name) ? withoutHalves(text) : text));
  if (request === draft.request) return draft;
  const message = "the JSON text has half of a surrogate pair, which is no character; it is sent as U+FFFD";
  return adapt({ ...draft, request }, [
    { kind: "EMULATED", field: firstChange(draft.request, request), message: `${message}, here and elsewhere` },
  ]);
}

/** Fields that contain JSON text. */
const jsonFields: ReadonlySet<string> = new Set([
  ...["argumentsJson", "inputJson", "outputJson"],
  ...["parametersJsonSchema", "configJson", "schemaJson"],
]);

/** Yields the texts of these fields. Faster than a look at every field: a request can have 125,000 parts. */
function* jsonTexts({ messages, tools, outputFormat }: ChatRequest): Generator<string, void> {
  for (const { parts } of messages) {
    for (const { kind } of parts) {
      if (kind.case === "toolCall") yield kind.value.argumentsJson;
      else if (kind.case === "serverToolCall") yield kind.value.inputJson;
      else if (kind.case === "serverToolResult") yield kind.value.outputJson;
    }
  }
  for (const { kind } of tools) {
    if (kind.case === "function") yield kind.value.parametersJsonSchema;
    else if (kind.case === "providerTool") yield kind.value.configJson;
  }
  if (outputFormat?.format.case === "jsonSchema") yield outputFormat.format.value.schemaJson;
}

/** A pair of halves, a half, or any other escape. Others must be matched too: in `\\ud83d`, the `\\` is a character. */
const escapes = /\\(?:u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|u([dD][89a-fA-F])[\da-fA-F]{2}|[\s\S])/g;

function withoutHalves(json: string): string {
  return json.replace(escapes, (text, lone) => (lone === undefined ? text : "\\ufffd"));
}
