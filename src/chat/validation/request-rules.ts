import { dataOfUri } from "../../data-uri.ts";
import { type FieldViolation, mostViolations, type ReportViolation } from "../../errors.ts";
import type { FieldPath } from "../../field-path.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Media } from "../../gen/dragoman/v1/media_pb.js";
import { type Message, type Part, Role } from "../../gen/dragoman/v1/message_pb.js";
import { Modality } from "../../gen/dragoman/v1/modality_pb.js";
import { ReasoningFormat } from "../../gen/dragoman/v1/reasoning_pb.js";
import { ToolChoiceMode } from "../../gen/dragoman/v1/tool_pb.js";
import { placeOfSyntaxError } from "../../json-syntax.ts";
import { checkFinite } from "./finite-numbers.ts";
import { excessOf, JsonCounter, mostLevels } from "./json-bounds.ts";

/** Checks the bounds of a string field with JSON text, and what the text is (default: an object). */
type CheckJson = (text: string, path: FieldPath, content?: JsonContent) => void;

/** `returned`: text that a model or provider wrote, which may be no JSON or too deep. `fitContent` handles both. */
type JsonContent = "object" | "returned";

/**
 * Returns the violations of rules that proto annotations cannot express, up to `mostViolations`. `maxValues`: maximum
 * number of values of the JSON texts in the request.
 */
export function requestViolations(chat: ChatRequest, maxValues: number): readonly FieldViolation[] {
  const violations: FieldViolation[] = [];
  const report: ReportViolation = (field, description) => {
    if (violations.length < mostViolations) violations.push({ field, description });
  };
  const checkJson = createJsonRule(maxValues, report);
  checkConversation(chat.messages, report, checkJson);
  checkTools(chat, report, checkJson);
  checkOutput(chat, report, checkJson);
  checkFinite(chat, report);
  if (chat.audioOutput !== undefined && !chat.responseModalities.includes(Modality.AUDIO)) {
    report(["audio_output"], "requires audio output; request the modality audio as well");
  }
  if (chat.instructions && chat.messages.some(isSystem)) {
    report(["instructions"], "set either instructions or a system message, not both");
  }
  return violations;
}

/** Whether a message has the role SYSTEM or DEVELOPER. */
export function isSystem(message: Message): boolean {
  return message.role === Role.SYSTEM || message.role === Role.DEVELOPER;
}

function checkConversation(messages: readonly Message[], report: ReportViolation, checkJson: CheckJson): void {
  const calls = new Set<string>();
  // Ids of this turn. Some models count their calls anew in each turn, so an id may repeat in a later one.
  const turn = new Set<string>();
  messages.forEach(({ role, parts }, messageIndex) => {
    if (role !== Role.ASSISTANT) turn.clear();
    if (parts.length === 0 && role !== Role.ASSISTANT) {
      report(
        ["messages", messageIndex, "parts"],
        "must have at least one part; only an assistant message may have none",
      );
    }
    parts.forEach((part, partIndex) => {
      const path: FieldPath = ["messages", messageIndex, "parts", partIndex];
      checkPlace(part, role, path, report);
      switch (part.kind.case) {
        case "media":
          checkMedia(part.kind.value, role, [...path, "media"], report);
          break;
        case "toolCall": {
          const { id, argumentsJson } = part.kind.value;
          if (turn.has(id)) {
            report([...path, "tool_call", "id"], "is used by an earlier tool call of this turn; use a unique id");
          }
          turn.add(id);
          calls.add(id);
          if (argumentsJson !== "") checkJson(argumentsJson, [...path, "tool_call", "arguments_json"], "returned");
          break;
        }
        case "toolResult":
          if (!calls.has(part.kind.value.toolCallId)) {
            report(
              [...path, "tool_result", "tool_call_id"],
              "matches no earlier tool call of this conversation; write the id of one",
            );
          }
          part.kind.value.parts.forEach(({ kind }, index) => {
            if (kind.case === "media")
              checkMedia(kind.value, role, [...path, "tool_result", "parts", index, "media"], report);
          });
          break;
        case "serverToolCall": {
          const { inputJson } = part.kind.value;
          if (inputJson !== "") checkJson(inputJson, [...path, "server_tool_call", "input_json"], "returned");
          break;
        }
        case "serverToolResult": {
          const { outputJson } = part.kind.value;
          if (outputJson !== "") checkJson(outputJson, [...path, "server_tool_result", "output_json"], "returned");
          break;
        }
      }
    });
  });
}

const assistantOnly: ReadonlySet<Part["kind"]["case"]> = new Set([
  "toolCall",
  "reasoning",
  "refusal",
  "serverToolCall",
  "serverToolResult",
]);

/**
 * Reports a part that is not allowed in messages of its role. Code and not an annotation: a CEL rule on Message takes
 * up to 1.5 microseconds per part, and its violation does not name the part.
 */
function checkPlace({ kind, citations }: Part, role: Role, path: FieldPath, report: ReportViolation): void {
  if (citations.length > 0 && role !== Role.ASSISTANT) {
    report([...path, "citations"], "are allowed only in assistant messages");
  }
  if (kind.case === undefined) {
    if (role !== Role.ASSISTANT) report([...path, "kind"], "is missing or unknown to this version; set text or media");
    return;
  }
  if (role !== Role.ASSISTANT && assistantOnly.has(kind.case)) {
    report(
      path,
      "tool_call, reasoning, refusal, server_tool_call and server_tool_result parts are allowed only in assistant messages",
    );
  }
  if (kind.case === "searchResult" && role !== Role.USER) {
    report(path, "search_result parts are allowed only in user messages and in tool results");
  }
  if ((kind.case === "toolResult") !== (role === Role.TOOL)) {
    report(path, "tool_result parts are required in tool messages and allowed only there");
  }
}

const dataUrl = "data:<media type>;base64,<the bytes in base64>";

/** Checks media. Those of assistant messages are output of a model, which Dragoman accepts as it returned them. */
function checkMedia({ source, mediaType }: Media, role: Role, path: FieldPath, report: ReportViolation): void {
  const isOutput = role === Role.ASSISTANT;
  switch (source.case) {
    case "data":
      if (mediaType === "") report([...path, "media_type"], "is required with data, for instance image/png");
      if (source.value.length === 0 && !isOutput) report([...path, "data"], "must not be empty");
      break;
    case "url":
      if (!isOutput && !/^[a-z][a-z0-9+.-]*:/i.test(source.value)) {
        report([...path, "url"], `must be an absolute URL; write https://host/path, or ${dataUrl}`);
      } else if (!isOutput && /^data:/i.test(source.value) && dataOfUri(source.value) === undefined) {
        report([...path, "url"], `is not a valid data: URL; write ${dataUrl}`);
      }
      break;
    case "fileId":
      break;
    case undefined:
      if (!isOutput) report([...path, "source"], "is missing or unknown to this version; set data, url or file_id");
      break;
    default:
      source satisfies never;
  }
}

const protoKinds = { function: "function", providerTool: "provider_tool" } as const;

function checkTools(chat: ChatRequest, report: ReportViolation, checkJson: CheckJson): void {
  const names = new Set<string>();
  for (const [index, { kind }] of chat.tools.entries()) {
    const path = ["tools", index, protoKinds[kind.case ?? "function"]];
    if (kind.case === "function") {
      const { name, parametersJsonSchema: schema } = kind.value;
      if (names.has(name)) report([...path, "name"], "is used by an earlier tool; use a unique name");
      names.add(name);
      if (schema !== "") checkJson(schema, [...path, "parameters_json_schema"]);
    } else if (kind.case === "providerTool" && kind.value.configJson !== "") {
      checkJson(kind.value.configJson, [...path, "config_json"]);
    }
  }
  const choice = chat.toolChoice?.choice;
  if (choice?.case === "toolName" && !names.has(choice.value)) {
    report(["tool_choice", "tool_name"], "must be the name of a function tool in this request");
  }
  if (choice?.case === "allowedTools") {
    for (const [index, name] of choice.value.toolNames.entries()) {
      if (names.has(name)) continue;
      report(
        ["tool_choice", "allowed_tools", "tool_names", index],
        "must be the name of a function tool in this request",
      );
    }
  }
  if (choice?.case === "mode" && choice.value === ToolChoiceMode.REQUIRED && chat.tools.length === 0) {
    report(["tool_choice", "mode"], "requires a tool call, but the request has no tools; add tools");
  }
}

function checkOutput(chat: ChatRequest, report: ReportViolation, checkJson: CheckJson): void {
  const { minOutputTokens, maxOutputTokens } = chat.parameters ?? {};
  if (minOutputTokens !== undefined && maxOutputTokens !== undefined && minOutputTokens > maxOutputTokens) {
    report(["parameters", "min_output_tokens"], "must not be above the output limit");
  }
  const format = chat.outputFormat?.format;
  if (format?.case === "jsonSchema") {
    checkJson(format.value.schemaJson, ["output_format", "json_schema", "schema_json"]);
  }
  const json = format?.case === "jsonObject" || format?.case === "jsonSchema";
  if (json && chat.reasoning?.format === ReasoningFormat.RAW) {
    report(
      ["reasoning", "format"],
      "raw reasoning in the text cannot be combined with a JSON output format; use another format",
    );
  }
}

/**
 * Creates the rule for string fields of a request that hold JSON text. All of them together have the bound on values of
 * a request: it is the work that counts, and each text is parsed several times.
 */
function createJsonRule(maxValues: number, report: ReportViolation): CheckJson {
  const counter = new JsonCounter({ values: maxValues });
  let isOver = false;
  return (text, path, content = "object") => {
    if (isOver) return;
    const excess = counter.excessOf(text);
    isOver = excess === "values";
    if (excess === "values")
      report(
        path,
        `must not have more than ${maxValues} values, the maximum of limits.max_values, together with earlier fields of JSON`,
      );
    else if (content === "returned") return;
    else if (excess === "levels") report(path, `must not nest more than ${mostLevels} levels deep`);
    else {
      const problem = objectProblem(text);
      if (problem !== undefined) report(path, problem);
    }
  };
}

/** Returns why a text is not the JSON text of an object. Undefined if it is. */
function objectProblem(text: string): string | undefined {
  try {
    return isObject(JSON.parse(text)) ? undefined : "must be the JSON text of an object";
  } catch (error) {
    return `must be the JSON text of an object, but is not JSON${placeOfSyntaxError(text, error)}`;
  }
}

/** Whether a text is the JSON text of an object. */
export function isJsonObject(text: string): boolean {
  return isObject(parsed(text));
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a text is JSON, with at most `mostLevels` levels. */
export function isJson(text: string): boolean {
  return isShallow(text) && parsed(text) !== undefined;
}

/** Whether a text has at most `mostLevels` levels of JSON. */
export function isShallow(text: string): boolean {
  return excessOf(text, Number.POSITIVE_INFINITY) === undefined;
}

/** Returns the value of JSON text; undefined if it is not JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
