import { functionsOf } from "../../chat/planning/function-tools.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import { type ProviderTool, type Tool, type ToolChoice, ToolChoiceMode } from "../../gen/dragoman/v1/tool_pb.js";
import { choiceModes, noParameters } from "../chat-completions/request.ts";
import { ExactJson } from "../kit/exact-json.ts";
import { membersOf, objectOf } from "../kit/json-text.ts";
import type { FunctionTool, ResponsesBody, WireToolChoice } from "./wire.ts";

/** Returns the tools and the tool choice. */
export function toolsBody(request: ChatRequest): Pick<ResponsesBody, "tools" | "tool_choice"> {
  const { tools, toolChoice } = request;
  if (tools.length === 0) return {};
  const choice = toolChoice && toToolChoice(toolChoice, tools);
  const functions = functionsOf(request).map(
    ({ name, description, parametersJsonSchema, strict }): FunctionTool => ({
      type: "function",
      name,
      ...(description && { description }),
      parameters: new ExactJson(parametersJsonSchema || noParameters),
      // In this API, functions are strict unless they say otherwise.
      strict: strict ?? false,
    }),
  );
  const others = tools.flatMap(({ kind }) => (kind.case === "providerTool" ? [toOwnTool(kind.value)] : []));
  return { tools: [...functions, ...others], ...(choice !== undefined && { tool_choice: choice }) };
}

/** Returns a tool that OpenAI defines, with the caller's fields unchanged. */
function toOwnTool({ type, configJson }: ProviderTool): ExactJson {
  const config = [...membersOf(configJson || "{}")].filter(([name]) => name !== "type");
  return new ExactJson(objectOf([["type", JSON.stringify(type)], ...config]));
}

function toToolChoice({ choice }: ToolChoice, tools: readonly Tool[]): WireToolChoice | undefined {
  if (choice.case === "mode") return choiceModes[choice.value];
  if (choice.case === "toolName") return { type: "function", name: choice.value };
  if (choice.case !== "allowedTools") return undefined;
  const { mode, toolNames } = choice.value;
  const functions = toolNames.map((name) => ({ type: "function", name }) as const);
  // `allowed_tools` of the contract is about functions. In this API, it would forbid the tools that it does not list.
  const others = tools.flatMap(({ kind }) => (kind.case === "providerTool" ? [namedAs(kind.value)] : []));
  return {
    type: "allowed_tools",
    mode: mode === ToolChoiceMode.REQUIRED ? "required" : "auto",
    tools: [...functions, ...others],
  };
}

/** Returns how a list of allowed tools names a tool: by its type, and by its name or its MCP server. */
function namedAs({ type, configJson }: ProviderTool): ExactJson {
  const named = [...membersOf(configJson || "{}")].filter(([name]) => name === "name" || name === "server_label");
  return new ExactJson(objectOf([["type", JSON.stringify(type)], ...named]));
}
