import { functionsOf, hasFunctions, type RequestedFunction } from "../../chat/planning/function-tools.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import { ToolChoiceMode } from "../../gen/dragoman/v1/tool_pb.js";
import { ExactJson } from "../kit/exact-json.ts";
import type { Marker } from "./cache-points.ts";
import type { ModelRules } from "./model-rules.ts";
import type { ConverseBody, WireTool, WireToolChoice } from "./wire.ts";

const noArguments = '{"type":"object","properties":{}}';

/** Returns the names of the tools called in the messages. If there are any, the request must define tools. */
export function calledTools({ messages }: ChatRequest): ReadonlySet<string> {
  const names = messages.flatMap(({ parts }) =>
    parts.flatMap(({ kind }) => (kind.case === "toolCall" ? [kind.value.name] : [])),
  );
  return new Set(names);
}

/** Whether the request allows no tool calls. */
function forbidsTools(request: ChatRequest): boolean {
  return !hasFunctions(request) || request.toolChoice?.choice.value === ToolChoiceMode.NONE;
}

/**
 * Returns the tools and the tool choice. Converse has no tool choice `none`: to forbid tool calls, Dragoman omits the
 * tools. For Claude it keeps them, because Claude's own `tool_choice` supports `none`.
 */
export function toolsBody(request: ChatRequest, rules: ModelRules, mark: Marker): Pick<ConverseBody, "toolConfig"> {
  if (forbidsTools(request) && !rules.claude) return {};
  const known = functionsOf(request).flatMap((tool) => [toTool(tool, rules), ...mark(tool.cacheHint)]);
  const tools = known.length > 0 ? known : [...calledTools(request)].map(toCalledTool);
  if (tools.length === 0) return {};
  const choice = claudesChoice(request, rules) === undefined ? toToolChoice(request.toolChoice) : undefined;
  return { toolConfig: { tools, ...(choice && { toolChoice: choice }) } };
}

/** Returns Claude's own tool choice if Converse has no equivalent: no tool calls, or one tool call at a time. */
export function claudesChoice(request: ChatRequest, { claude }: ModelRules): Record<string, unknown> | undefined {
  if (!claude || (!hasFunctions(request) && calledTools(request).size === 0)) return undefined;
  if (forbidsTools(request)) return { type: "none" };
  if (request.parallelToolCalls !== false) return undefined;
  const choice = request.toolChoice?.choice;
  if (choice?.case === "toolName") return { type: "tool", name: choice.value, disable_parallel_tool_use: true };
  const type = choice?.value === ToolChoiceMode.REQUIRED ? "any" : "auto";
  return { type, disable_parallel_tool_use: true };
}

function toToolChoice(toolChoice: ChatRequest["toolChoice"]): WireToolChoice | undefined {
  const choice = toolChoice?.choice;
  if (choice?.case === "toolName") return { tool: { name: choice.value } };
  if (choice?.case !== "mode") return undefined;
  return choice.value === ToolChoiceMode.REQUIRED ? { any: {} } : { auto: {} };
}

function toTool(
  { name, description, parametersJsonSchema, strict }: RequestedFunction,
  { strictTools }: ModelRules,
): WireTool {
  return {
    toolSpec: {
      name,
      ...(description && { description }),
      inputSchema: { json: new ExactJson(parametersJsonSchema || noArguments) },
      ...(strict !== undefined && strictTools && { strict }),
    },
  };
}

function toCalledTool(name: string): WireTool {
  return { toolSpec: { name, inputSchema: { json: new ExactJson(noArguments) } } };
}
