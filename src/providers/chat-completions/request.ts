import type { JsonObject } from "@bufbuild/protobuf";
import { functionsOf, type RequestedFunction } from "../../chat/planning/function-tools.ts";
import { invalidRequest } from "../../errors.ts";
import type { FieldPath } from "../../field-path.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import type { OutputFormat } from "../../gen/dragoman/v1/output_format_pb.js";
import { type ToolChoice, ToolChoiceMode } from "../../gen/dragoman/v1/tool_pb.js";
import { ExactJson } from "../kit/exact-json.ts";
import { mergeOptions } from "../kit/merge-options.ts";
import { type ModelRules, rulesFor, sentEffort, wireForm } from "./adaptations.ts";
import { type CacheMarks, createMarker } from "./cache-marks.ts";
import { effortWords, isNeutral, optionalFieldNames, optionalFields } from "./fields.ts";
import { toMessages } from "./messages.ts";
import { modalitiesBody } from "./output-modalities.ts";
import type { Body, Quirks } from "./quirks.ts";
import type { ChatBody, WireProviderTool, WireTool, WireToolChoice } from "./wire.ts";

/** Schema of a function without parameters, for servers that require one. */
export const noParameters = '{"type":"object","properties":{}}';

/** Words of OpenAI's APIs for the modes of a tool choice. */
export const choiceModes = {
  [ToolChoiceMode.UNSPECIFIED]: "auto",
  [ToolChoiceMode.AUTO]: "auto",
  [ToolChoiceMode.NONE]: "none",
  [ToolChoiceMode.REQUIRED]: "required",
} as const satisfies Record<ToolChoiceMode, WireToolChoice>;

/**
 * Builds the body from a request to which Dragoman has applied the changes that `checkSupport` returned. `provider` is
 * the key of this server's options in `provider_options`. `streamed` is whether to request a stream.
 */
export function toRequest(
  request: ChatRequest,
  model: Model,
  quirks: Quirks,
  provider: string,
  streamed: boolean,
): ChatBody {
  const rules = rulesFor(model, quirks);
  const marks = quirks.cacheMarks(model.providerModel);
  const body = {
    ...optionalBody(request, rules, quirks),
    ...formatBody(request.outputFormat, quirks),
    ...toolsBody(request, quirks, marks),
    ...modalitiesBody(request, streamed),
    ...quirks.alsoSend?.(request),
  };
  return {
    ...mergeOptions(body, bodyOptions(request.providerOptions[provider], quirks)),
    model: model.providerModel,
    messages: toMessages(request, model, quirks, { isReasoningModel: Boolean(rules), marks }),
    stream: streamed,
    // Servers reject `stream_options` if `stream` is false.
    stream_options: streamed ? quirks.streamOptions : undefined,
  };
}

function bodyOptions(options: JsonObject | undefined, { headerOptions }: Quirks): JsonObject | undefined {
  if (options === undefined || headerOptions.length === 0) return options;
  return Object.fromEntries(Object.entries(options).filter(([name]) => !headerOptions.includes(name)));
}

function optionalBody(request: ChatRequest, rules: ModelRules, quirks: Quirks): Body {
  const body: Record<string, unknown> = {};
  for (const field of optionalFieldNames) {
    const form = wireForm(field, request, rules, quirks);
    const requested = form === undefined ? undefined : optionalFields[field].value(request);
    if (form === undefined || requested === undefined) continue;
    const value = field === "parameters.top_k" && isNeutral(field, requested) ? quirks.topKOff : requested;
    if (typeof form === "string") body[form] = value;
    else Object.assign(body, form(value));
  }
  const effort = sentEffort(request, rules);
  if (rules && effort !== undefined) body.reasoning_effort = effortWords[effort];
  return body;
}

function formatBody(outputFormat: OutputFormat | undefined, quirks: Quirks): Body {
  const format = outputFormat?.format;
  switch (format?.case) {
    case undefined:
    case "text":
      return {};
    case "jsonObject":
      return { response_format: { type: "json_object" } };
    case "jsonSchema": {
      const { name, description, schemaJson, strict } = format.value;
      const schema = exactJson(schemaJson, ["output_format", "json_schema", "schema_json"]);
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

function toolsBody(
  request: ChatRequest,
  quirks: Quirks,
  marks: CacheMarks | undefined,
): Pick<ChatBody, "tools" | "tool_choice"> {
  const { tools, toolChoice } = request;
  if (tools.length === 0) return {};
  const choice = toolChoice && toToolChoice(toolChoice);
  const marker = createMarker(request, marks);
  const functions = functionsOf(request).map((tool) => ({ ...toTool(tool, quirks), ...marker(tool.index) }));
  const wire = [...functions, ...providerTools(request)];
  if (quirks.toolChoice === "auto") return choice === "none" ? {} : { tools: wire };
  return { tools: wire, ...(choice !== undefined && { tool_choice: choice }) };
}

/** Returns the tools that the server runs, with the caller's fields unchanged. */
function providerTools({ tools }: ChatRequest): readonly WireProviderTool[] {
  return tools.flatMap(({ kind }) => {
    if (kind.case !== "providerTool") return [];
    const { type, configJson } = kind.value;
    const config: unknown = JSON.parse(configJson || "{}");
    return [{ ...(typeof config === "object" && config), type }];
  });
}

function toToolChoice({ choice }: ToolChoice): WireToolChoice | undefined {
  if (choice.case === "mode") return choiceModes[choice.value];
  if (choice.case === "toolName") return namedTool(choice.value);
  if (choice.case !== "allowedTools") return undefined;
  const { mode, toolNames } = choice.value;
  const tools = toolNames.map(namedTool);
  return {
    type: "allowed_tools",
    allowed_tools: { mode: mode === ToolChoiceMode.REQUIRED ? "required" : "auto", tools },
  };
}

function namedTool(name: string) {
  return { type: "function", function: { name } } as const;
}

function toTool(tool: RequestedFunction, { needsParameters }: Quirks): WireTool {
  const { name, description, strict, index } = tool;
  const parameters = tool.parametersJsonSchema || (needsParameters && noParameters);
  return {
    type: "function",
    function: {
      name,
      ...(description && { description }),
      ...(parameters && { parameters: exactJson(parameters, ["tools", index, "function", "parameters_json_schema"]) }),
      ...(strict !== undefined && { strict }),
    },
  };
}

/** Keeps the text of a schema unchanged, since the order of its keys matters to models. */
function exactJson(text: string, field: FieldPath): ExactJson {
  try {
    JSON.parse(text);
    return new ExactJson(text);
  } catch {
    throw invalidRequest([{ field, description: "must be JSON" }]);
  }
}
