import { functionsOf, type RequestedFunction } from "../../chat/planning/function-tools.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import type { OutputFormat } from "../../gen/dragoman/v1/output_format_pb.js";
import type { GenerationParameters } from "../../gen/dragoman/v1/parameters_pb.js";
import { ToolChoiceMode } from "../../gen/dragoman/v1/tool_pb.js";
import { type ClaudeModel, claudeModel } from "../claude/claude-models.ts";
import { describedSchema, ExactJson, withKey } from "../kit/exact-json.ts";
import { mergeOptions } from "../kit/merge-options.ts";
import { createMarker, type Marker } from "./cache-marks.ts";
import { toConversation } from "./messages.ts";
import { toThinking } from "./thinking.ts";
import type { MessagesBody, OutputConfig, WireTool, WireToolChoice } from "./wire.ts";

/**
 * Returns the request body. Dragoman drops or adjusts unsupported fields before this, see `checkSupport`. `provider` is
 * the provider's name in the configuration: the key of its options in `provider_options`.
 */
export function toRequest(request: ChatRequest, model: Model, provider: string): MessagesBody {
  const rules = claudeModel(model.providerModel);
  const { parameters, serviceTier } = request;
  const maxTokens = maxTokensOf(request, model, rules);
  const { thinking, effort } = toThinking(request, rules, maxTokens);
  const format = formatOf(request.outputFormat);
  const mark = createMarker(request);
  const tools = toolsBody(request, rules, mark);
  const { system, messages } = toConversation(request, rules, mark);
  const body: Omit<MessagesBody, "model" | "messages" | "stream"> = {
    max_tokens: maxTokens,
    ...(system.length > 0 && { system }),
    ...samplingBody(parameters, rules),
    ...(parameters && parameters.stopSequences.length > 0 && { stop_sequences: parameters.stopSequences }),
    ...(thinking && { thinking }),
    ...tools,
    ...(request.user && { metadata: { user_id: request.user } }),
    ...(isServiceTier(serviceTier) && { service_tier: serviceTier }),
    ...((effort || format) && { output_config: { ...(effort && { effort }), ...(format && { format }) } }),
  };
  return {
    ...mergeOptions(body, request.providerOptions[provider]),
    model: model.providerModel,
    messages,
    stream: true,
  };
}

/** Returns the required `max_tokens`: the caller's limit, at most the model's. Default: the model's limit. */
export function maxTokensOf({ parameters }: ChatRequest, model: Model, { maxOutput }: ClaudeModel): number {
  const ceiling = model.maxOutputTokens || maxOutput;
  return Math.min(parameters?.maxOutputTokens ?? ceiling, model.maxOutputTokens || Number.POSITIVE_INFINITY);
}

export function isServiceTier(word: string): word is "auto" | "standard_only" {
  return word === "auto" || word === "standard_only";
}

/**
 * Returns top_k, and temperature or top_p, because the API rejects both together. Prefers temperature, unless it is 1,
 * which has no effect.
 */
function samplingBody(parameters: GenerationParameters | undefined, { sampling }: ClaudeModel): Partial<MessagesBody> {
  if (!sampling || parameters === undefined) return {};
  const { temperature, topP, topK = 0 } = parameters;
  const isTopP = topP !== undefined && (temperature === undefined || (temperature === 1 && topP !== 1));
  return {
    ...(isTopP ? { top_p: topP } : temperature !== undefined && { temperature }),
    ...(topK > 0 && { top_k: topK }),
  };
}

function formatOf(outputFormat: OutputFormat | undefined): OutputConfig["format"] {
  if (outputFormat?.format.case !== "jsonSchema") return undefined;
  const { schemaJson, description } = outputFormat.format.value;
  return { type: "json_schema", schema: describedSchema(schemaJson, description) };
}

function toolsBody(
  request: ChatRequest,
  rules: ClaudeModel,
  mark: Marker,
): Pick<MessagesBody, "tools" | "tool_choice"> {
  const functions = functionsOf(request);
  if (functions.length === 0) return {};
  const choice = toToolChoice(request);
  return {
    tools: functions.map((tool) => toTool(tool, rules, mark)),
    ...(choice && { tool_choice: choice }),
  };
}

function toTool(
  { name, description, parametersJsonSchema, strict, cacheHint }: RequestedFunction,
  { jsonSchema }: ClaudeModel,
  mark: Marker,
): WireTool {
  const schema = parametersJsonSchema || '{"properties":{}}';
  return {
    name,
    ...(description && { description }),
    // The API rejects a schema without a type.
    input_schema: new ExactJson(withKey(schema, "type", "object")),
    ...(strict !== undefined && jsonSchema && { strict }),
    ...mark(cacheHint),
  };
}

const choiceModes = {
  [ToolChoiceMode.UNSPECIFIED]: "auto",
  [ToolChoiceMode.AUTO]: "auto",
  [ToolChoiceMode.NONE]: "none",
  [ToolChoiceMode.REQUIRED]: "any",
} as const satisfies Record<ToolChoiceMode, WireToolChoice["type"]>;

/** Converts the tool choice. `parallel_tool_calls` false becomes a field of the choice, the API's only place for it. */
function toToolChoice({ toolChoice, parallelToolCalls }: ChatRequest): WireToolChoice | undefined {
  const choice = toolChoice?.choice;
  const oneAtATime = parallelToolCalls === false ? ({ disable_parallel_tool_use: true } as const) : {};
  if (choice?.case === "toolName") return { type: "tool", name: choice.value, ...oneAtATime };
  if (choice?.case !== "mode") return parallelToolCalls === false ? { type: "auto", ...oneAtATime } : undefined;
  const type = choiceModes[choice.value];
  return type === "none" ? { type } : { type, ...oneAtATime };
}
