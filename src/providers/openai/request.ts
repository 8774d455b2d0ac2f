import { invalidRequest } from "../../errors.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import type { OutputFormat } from "../../gen/dragoman/v1/output_format_pb.js";
import { type Tool, type ToolChoice, ToolChoiceMode } from "../../gen/dragoman/v1/tool_pb.js";
import { effortWords, isNeutral, optionalFieldNames, optionalFields } from "./fields.ts";
import { rulesFor, sentEffort, wireName } from "./limitations.ts";
import { toMessages } from "./messages.ts";
import type { Quirks } from "./quirks.ts";
import type { ReasoningModel } from "./reasoning-models.ts";
import type { ChatBody, WireTool, WireToolChoice } from "./wire.ts";

const choiceModes = {
  [ToolChoiceMode.UNSPECIFIED]: "auto",
  [ToolChoiceMode.AUTO]: "auto",
  [ToolChoiceMode.NONE]: "none",
  [ToolChoiceMode.REQUIRED]: "required",
} as const satisfies Record<ToolChoiceMode, WireToolChoice>;

/**
 * The body for a request to which the limitations have been applied. `provider` is the key of its own options, and
 * `streamed` whether the answer is asked for as a stream.
 */
export function toRequest(
  request: ChatRequest,
  model: Model,
  quirks: Quirks,
  provider: string,
  streamed: boolean,
): ChatBody {
  const rules = rulesFor(model, quirks);
  return {
    ...optionalBody(request, rules, quirks),
    ...formatBody(request.outputFormat, quirks),
    ...toolsBody(request, quirks),
    ...request.providerOptions[provider],
    model: model.providerModel,
    messages: toMessages(request, quirks, rules !== undefined),
    stream: streamed,
    // Without them a stream has no usage; with them a request for a whole answer is refused.
    stream_options: streamed ? streamOptions(quirks) : undefined,
  };
}

function streamOptions({ declineObfuscation }: Quirks): NonNullable<ChatBody["stream_options"]> {
  return { include_usage: true, ...(declineObfuscation && { include_obfuscation: false }) };
}

function optionalBody(
  request: ChatRequest,
  rules: ReasoningModel | undefined,
  quirks: Quirks,
): Record<string, unknown> {
  const body: Record<string, unknown> = {};
  for (const field of optionalFieldNames) {
    const name = wireName(field, request, rules, quirks);
    const value = name === undefined ? undefined : optionalFields[field](request);
    if (name === undefined || value === undefined) continue;
    body[name] = field === "parameters.top_k" && isNeutral(field, value) ? quirks.topKOff : value;
  }
  const effort = sentEffort(request, rules);
  if (rules !== undefined && effort !== undefined) body.reasoning_effort = effortWords[effort];
  return body;
}

function formatBody(outputFormat: OutputFormat | undefined, quirks: Quirks): Record<string, unknown> {
  const format = outputFormat?.format;
  switch (format?.case) {
    case undefined:
    case "text":
      return {};
    case "jsonObject":
      return { response_format: { type: "json_object" } };
    case "jsonSchema": {
      const { name, description, schemaJson, strict } = format.value;
      const schema = parseJson(schemaJson, "output_format.json_schema.schema_json");
      const json_schema = {
        name,
        ...(description && { description }),
        schema,
        ...(strict !== undefined && { strict }),
      };
      return { response_format: { type: "json_schema", json_schema, ...(quirks.flatSchema && { schema }) } };
    }
    case "regex":
      return { ...quirks.regex?.(format.value.pattern) };
    default:
      return format satisfies never;
  }
}

function toolsBody({ tools, toolChoice }: ChatRequest, quirks: Quirks): Pick<ChatBody, "tools" | "tool_choice"> {
  if (tools.length === 0) return {};
  const choice = toolChoice && toToolChoice(toolChoice);
  if (quirks.toolChoice === "auto") return choice === "none" ? {} : { tools: tools.map(toTool) };
  return { tools: tools.map(toTool), ...(choice !== undefined && { tool_choice: choice }) };
}

function toToolChoice({ choice }: ToolChoice): WireToolChoice | undefined {
  if (choice.case === "mode") return choiceModes[choice.value];
  return choice.case === "toolName" ? { type: "function", function: { name: choice.value } } : undefined;
}

function toTool({ name, description, parametersJsonSchema, strict }: Tool, index: number): WireTool {
  return {
    type: "function",
    function: {
      name,
      ...(description && { description }),
      ...(parametersJsonSchema && {
        parameters: parseJson(parametersJsonSchema, `tools[${index}].parameters_json_schema`),
      }),
      ...(strict !== undefined && { strict }),
    },
  };
}

function parseJson(text: string, field: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalidRequest([{ field: `chat.${field}`, description: "must be JSON" }]);
  }
}
