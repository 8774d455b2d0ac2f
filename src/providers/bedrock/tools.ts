import { hasFunctions } from "../../chat/planning/function-tools.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import { type FunctionTool, type ProviderTool, ToolChoiceMode } from "../../gen/dragoman/v1/tool_pb.js";
import { betaOfTool, claudeTool } from "../claude/provider-tools.ts";
import { ExactJson } from "../kit/exact-json.ts";
import { membersOf, objectOf } from "../kit/json-text.ts";
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
  return request.tools.length === 0 || request.toolChoice?.choice.value === ToolChoiceMode.NONE;
}

/**
 * Returns the tools and the tool choice. Converse has no tool choice `none`: to forbid tool calls, Dragoman omits the
 * tools. For Claude it keeps them, because Claude's own `tool_choice` supports `none`.
 */
export function toolsBody(request: ChatRequest, rules: ModelRules, mark: Marker): Pick<ConverseBody, "toolConfig"> {
  if (forbidsTools(request) && !rules.claude) return {};
  const known = request.tools.flatMap(({ kind }, index): readonly WireTool[] => {
    if (kind.case === "function") return [toTool(kind.value, rules), ...mark(index)];
    if (kind.case !== "providerTool" || rules.claude) return [];
    return [toSystemTool(kind.value), ...mark(index)];
  });
  const tools = known.length > 0 ? known : [...calledTools(request)].map(toCalledTool);
  if (tools.length === 0) return {};
  const choice = claudesChoice(request, rules) === undefined ? toToolChoice(request.toolChoice) : undefined;
  return { toolConfig: { tools, ...(choice && { toolChoice: choice }) } };
}

/** Returns Claude's own tool choice if Converse has no equivalent: no tool calls, or one tool call at a time. */
export function claudesChoice(request: ChatRequest, { claude }: ModelRules): Record<string, unknown> | undefined {
  if (!claude || (request.tools.length === 0 && calledTools(request).size === 0)) return undefined;
  if (forbidsTools(request)) return { type: "none" };
  const choice = request.toolChoice?.choice;
  const isRequired = choice?.value === ToolChoiceMode.REQUIRED;
  if (request.parallelToolCalls !== false) {
    // Tools that Anthropic defines are not in `toolConfig`, which has the choice otherwise.
    const isOutside = !hasFunctions(request) && calledTools(request).size === 0;
    return isOutside && isRequired ? { type: "any" } : undefined;
  }
  if (choice?.case === "toolName") return { type: "tool", name: choice.value, disable_parallel_tool_use: true };
  const type = isRequired ? "any" : "auto";
  return { type, disable_parallel_tool_use: true };
}

function toToolChoice(toolChoice: ChatRequest["toolChoice"]): WireToolChoice | undefined {
  const choice = toolChoice?.choice;
  if (choice?.case === "toolName") return { tool: { name: choice.value } };
  if (choice?.case !== "mode") return undefined;
  return choice.value === ToolChoiceMode.REQUIRED ? { any: {} } : { auto: {} };
}

function toTool(
  { name, description, parametersJsonSchema, strict }: FunctionTool,
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

/** Returns a tool that Bedrock runs. Its name is the type, unless the configuration names it. */
function toSystemTool({ type, configJson }: ProviderTool): ExactJson {
  const tool = objectOf(new Map([["name", JSON.stringify(type)], ...membersOf(configJson || "{}")]));
  return new ExactJson(objectOf([["systemTool", tool]]));
}

/** Returns the body fields for tools that Anthropic defines, which Converse itself has no place for. */
export function claudesTools({ tools }: ChatRequest, { claude }: ModelRules, mark: Marker): Record<string, unknown> {
  const defined = claude
    ? tools.flatMap(({ kind }, index) => (kind.case === "providerTool" ? [{ tool: kind.value, index }] : []))
    : [];
  const betas = [...new Set(defined.flatMap(({ tool }) => betaOfTool(tool) ?? []))];
  // Outside `toolConfig`, a breakpoint has Anthropic's form and not that of Converse.
  const members = ({ tool, index }: (typeof defined)[number]) => [
    ...claudeTool(tool),
    ...mark(index).map(({ cachePoint: { ttl } }): [string, string] => [
      "cache_control",
      JSON.stringify({ type: "ephemeral", ...(ttl && { ttl }) }),
    ]),
  ];
  return {
    ...(defined.length > 0 && { tools: defined.map((entry) => new ExactJson(objectOf(members(entry)))) }),
    ...(betas.length > 0 && { anthropic_beta: betas }),
  };
}
