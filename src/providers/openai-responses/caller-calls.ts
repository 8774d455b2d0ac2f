import { parseBounded } from "../../chat/validation/json-bounds.ts";
import type { ToolResult } from "../../gen/dragoman/v1/message_pb.js";
import { memberAt, membersOf, objectOf } from "../kit/json-text.ts";
import { toInputContent } from "./content.ts";
import type { InputContent, ShellOutput, ToolOutput } from "./wire.ts";

// Calls that the caller answers and that are no function calls. They become tool calls, whose arguments are the JSON
// text of what the model wants. /v1/responses uses the same names (surfaces/responses/calls.ts).

/** How a type of call becomes a tool call, and its result an item. */
interface CallerCall {
  /** Name of the tool call. Undefined: the item has the name. */
  readonly name: string | undefined;
  /** Returns the arguments of the tool call. */
  readonly argumentsOf: (json: string) => string;
  readonly toOutput: (callId: string, result: ToolResult) => ToolOutput;
}

const callerCalls: Readonly<Record<string, CallerCall>> = {
  custom_tool_call: {
    name: undefined,
    argumentsOf: (json) => textAt(json, "input"),
    toOutput: (call_id, result) => ({ type: "custom_tool_call_output", call_id, output: outputOf(result) }),
  },
  local_shell_call: {
    name: "local_shell",
    argumentsOf: (json) => memberAt(json, "action") || "{}",
    toOutput: (id, result) => ({ type: "local_shell_call_output", id, output: textOf(result) }),
  },
  shell_call: {
    name: "shell",
    argumentsOf: (json) => memberAt(json, "action") || "{}",
    toOutput: (call_id, result) => ({ type: "shell_call_output", call_id, output: shellOutput(result) }),
  },
  apply_patch_call: {
    name: "apply_patch",
    argumentsOf: (json) => memberAt(json, "operation") || "{}",
    toOutput: (call_id, result) => {
      const status = result.isError ? "failed" : "completed";
      return { type: "apply_patch_call_output", call_id, status, output: textOf(result) };
    },
  },
  computer_call: {
    name: "computer",
    argumentsOf: (json) => memberAt(json, "action") || objectOf([["actions", memberAt(json, "actions") || "[]"]]),
    toOutput: (call_id, result) => ({ type: "computer_call_output", call_id, output: screenshotOf(result) }),
  },
  mcp_approval_request: {
    name: "mcp_approval_request",
    argumentsOf: (json) => objectOf([...membersOf(json)].filter(([name]) => name !== "id" && name !== "type")),
    toOutput: (approval_request_id, result) => ({
      type: "mcp_approval_response",
      approval_request_id,
      approve: isApproval(result),
    }),
  },
};

/** Returns the rule for a type of item. Undefined: it is no such call. */
export function callerCallOf(type: string): CallerCall | undefined {
  return Object.hasOwn(callerCalls, type) ? callerCalls[type] : undefined;
}

/** Returns the output of a function: its only text, or a list. */
export function outputOf({ parts }: ToolResult): string | readonly InputContent[] {
  const content = parts.flatMap(({ kind }): readonly InputContent[] => {
    if (kind.case === "text") return [{ type: "input_text", text: kind.value }];
    return kind.case === "media" ? [toInputContent(kind.value)] : [];
  });
  const [first] = content;
  if (first === undefined) return "";
  return content.length === 1 && first.type === "input_text" ? first.text : content;
}

function textOf({ parts }: ToolResult): string {
  return parts.flatMap(({ kind }) => (kind.case === "text" ? [kind.value] : [])).join("");
}

function textAt(json: string, name: string): string {
  const value: unknown = JSON.parse(memberAt(json, name) || '""');
  return typeof value === "string" ? value : "";
}

/** Returns the output of shell commands: the API's list as JSON text, or any other text as the output of one command. */
function shellOutput(result: ToolResult): readonly ShellOutput[] {
  const text = textOf(result);
  const value = parsed(text);
  if (Array.isArray(value) && value.every(isShellOutput)) return value;
  return [{ stdout: text, stderr: "", outcome: { type: "exit", exit_code: result.isError ? 1 : 0 } }];
}

function isShellOutput(value: unknown): value is ShellOutput {
  return typeof value === "object" && value !== null && "stdout" in value && "stderr" in value && "outcome" in value;
}

function screenshotOf({ parts }: ToolResult): Extract<ToolOutput, { type: "computer_call_output" }>["output"] {
  const content = parts.flatMap(({ kind }) => (kind.case === "media" ? [toInputContent(kind.value)] : []));
  const image = content.find((part) => part.type === "input_image");
  const { image_url, file_id } = image ?? {};
  return { type: "computer_screenshot", ...(image_url && { image_url }), ...(file_id && { file_id }) };
}

/** Whether a result approves a call of an MCP server: not with `is_error`, `false`, or the field `approve` false. */
function isApproval(result: ToolResult): boolean {
  const value = parsed(textOf(result));
  const isRefusal =
    value === false || (typeof value === "object" && value !== null && Reflect.get(value, "approve") === false);
  return !result.isError && !isRefusal;
}

function parsed(text: string): unknown {
  try {
    return parseBounded(text);
  } catch {
    return undefined;
  }
}
