import { type FieldViolation, mostViolations, type ReportViolation } from "../../errors.ts";
import type { FieldPath } from "../../field-path.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import { type Media, type Message, type Part, Role } from "../../gen/dragoman/v1/message_pb.js";
import { ReasoningFormat } from "../../gen/dragoman/v1/reasoning_pb.js";
import { ToolChoiceMode } from "../../gen/dragoman/v1/tool_pb.js";
import { JsonCounter, mostLevels } from "./json-bounds.ts";

/** Checks a string field that must be the JSON text of an object. */
type CheckJson = (text: string, path: FieldPath) => void;

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
  messages.forEach((message, messageIndex) => {
    message.parts.forEach((part, partIndex) => {
      const path: FieldPath = ["messages", messageIndex, "parts", partIndex];
      checkPlace(part, message.role, path, report);
      switch (part.kind.case) {
        case "media":
          checkMedia(part.kind.value, [...path, "media"], report);
          break;
        case "toolCall": {
          const { id, argumentsJson } = part.kind.value;
          if (calls.has(id)) report([...path, "tool_call", "id"], "is used by an earlier tool call; use a unique id");
          calls.add(id);
          if (argumentsJson !== "") checkJson(argumentsJson, [...path, "tool_call", "arguments_json"]);
          break;
        }
        case "toolResult":
          if (!calls.has(part.kind.value.toolCallId)) {
            report([...path, "tool_result", "tool_call_id"], "matches no earlier tool call of this conversation");
          }
          part.kind.value.parts.forEach(({ kind }, index) => {
            if (kind.case === "media")
              checkMedia(kind.value, [...path, "tool_result", "parts", index, "media"], report);
          });
          break;
      }
    });
  });
}

/** Reports a part that is not allowed in messages of its role. */
function checkPlace({ kind }: Part, role: Role, path: FieldPath, report: ReportViolation): void {
  if (kind.case === undefined) return;
  const assistantOnly = kind.case === "toolCall" || kind.case === "reasoning" || kind.case === "refusal";
  if (assistantOnly && role !== Role.ASSISTANT) {
    report(path, "tool_call, reasoning and refusal parts are allowed only in assistant messages");
  }
  if ((kind.case === "toolResult") !== (role === Role.TOOL)) {
    report(path, "tool_result parts are required in tool messages and allowed only there");
  }
}

function checkMedia(media: Media, path: FieldPath, report: ReportViolation): void {
  if (media.source.case === "data") {
    if (media.mediaType === "") report([...path, "media_type"], "is required with data, for instance image/png");
    if (media.source.value.length === 0) report([...path, "data"], "must not be empty");
  }
  if (media.source.case === "url" && !/^[a-z][a-z0-9+.-]*:/i.test(media.source.value)) {
    report([...path, "url"], "must be an absolute URL; send the bytes in data instead of a relative path");
  }
}

function checkTools(chat: ChatRequest, report: ReportViolation, checkJson: CheckJson): void {
  const names = new Set<string>();
  chat.tools.forEach((tool, index) => {
    if (names.has(tool.name)) report(["tools", index, "name"], "is used by an earlier tool; use a unique name");
    names.add(tool.name);
    const { parametersJsonSchema: schema } = tool;
    if (schema !== "") checkJson(schema, ["tools", index, "parameters_json_schema"]);
  });
  const choice = chat.toolChoice?.choice;
  if (choice?.case === "toolName" && !names.has(choice.value)) {
    report(["tool_choice", "tool_name"], "must be the name of a tool in this request");
  }
  if (choice?.case === "mode" && choice.value === ToolChoiceMode.REQUIRED && names.size === 0) {
    report(["tool_choice", "mode"], "requires a tool call, but the request has no tools; add tools");
  }
}

function checkOutput(chat: ChatRequest, report: ReportViolation, checkJson: CheckJson): void {
  const { seed, minOutputTokens, maxOutputTokens } = chat.parameters ?? {};
  if (seed !== undefined && !isSeed(seed)) {
    report(["parameters", "seed"], "must be an integer from -2^63 to 2^64-1 in decimal digits");
  }
  if (minOutputTokens !== undefined && maxOutputTokens !== undefined && minOutputTokens > maxOutputTokens) {
    report(["parameters", "min_output_tokens"], "must not be above max_output_tokens");
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

function isSeed(text: string): boolean {
  // A proto annotation already rejects text that is not digits.
  if (!/^-?\d{1,20}$/.test(text)) return true;
  const value = BigInt(text);
  return value >= -(2n ** 63n) && value < 2n ** 64n;
}

/**
 * Creates the rule for string fields of a request that hold the JSON text of an object. All of them together have the
 * bound on values of a request: it is the work that counts, and each text is parsed several times.
 */
function createJsonRule(maxValues: number, report: ReportViolation): CheckJson {
  const counter = new JsonCounter({ values: maxValues });
  let isOver = false;
  return (text, path) => {
    if (isOver) return;
    const excess = counter.excessOf(text);
    isOver = excess === "values";
    if (excess === "levels") report(path, `must not nest more than ${mostLevels} levels deep`);
    else if (excess === "values")
      report(
        path,
        `must not have more than ${maxValues} values, the maximum of limits.max_values, together with earlier fields of JSON`,
      );
    else if (!isObject(text)) report(path, "must be the JSON text of an object");
  };
}

function isObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
