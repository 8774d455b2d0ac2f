import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Part } from "../../gen/dragoman/v1/message_pb.js";
import type { Tool } from "../../gen/dragoman/v1/tool_pb.js";
import { mapStrings } from "../../well-formed.ts";
import { firstChange, halfEscape } from "../validation/halves.ts";
import { adapt, type Draft } from "./draft.ts";
import { hasPart } from "./parts.ts";

/**
 * Replaces each half of a surrogate pair in JSON text, such as `\ud83d` in arguments that a model wrote, with U+FFFD.
 * Many providers reject a body with a half. The entries have rejected halves outside JSON text.
 *
 * Runs first, so that no later step has to handle halves.
 */
export function replaceHalves(draft: Draft): Draft {
  if (!hasHalf(draft.request)) return draft;
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

/** Whether one of these fields has a half. Faster than a look at every field: a request can have 125,000 parts. */
function hasHalf({ messages, tools, outputFormat }: ChatRequest): boolean {
  if (hasPart(messages, hasHalfInPart) || tools.some(hasHalfInTool)) return true;
  return outputFormat?.format.case === "jsonSchema" && halfEscape.test(outputFormat.format.value.schemaJson);
}

function hasHalfInPart({ kind }: Part): boolean {
  if (kind.case === "toolCall") return halfEscape.test(kind.value.argumentsJson);
  if (kind.case === "serverToolCall") return halfEscape.test(kind.value.inputJson);
  return kind.case === "serverToolResult" && halfEscape.test(kind.value.outputJson);
}

function hasHalfInTool({ kind }: Tool): boolean {
  if (kind.case === "function") return halfEscape.test(kind.value.parametersJsonSchema);
  return kind.case === "providerTool" && halfEscape.test(kind.value.configJson);
}

/** A pair of halves, a half, or any other escape. Others must be matched too: in `\\ud83d`, the `\\` is a character. */
const escapes = /\\(?:u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|u([dD][89a-fA-F])[\da-fA-F]{2}|[\s\S])/g;

function withoutHalves(json: string): string {
  return json.replace(escapes, (text, lone) => (lone === undefined ? text : "\\ufffd"));
}
