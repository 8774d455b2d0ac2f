import { functionsOf, type RequestedFunction } from "../../chat/planning/function-tools.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { ReasoningEffort } from "../../gen/dragoman/v1/reasoning_pb.js";
import { ToolChoiceMode } from "../../gen/dragoman/v1/tool_pb.js";
import { isNeutral, type OptionalField, optionalFieldNames, optionalFields } from "../chat-completions/fields.ts";
import { describedSchema, ExactJson } from "../kit/exact-json.ts";
import { mergeOptions } from "../kit/merge-options.ts";
import { placeDocuments, wantsCitations } from "./documents.ts";
import { cohereFields, penalties } from "./fields.ts";
import { toMessages } from "./messages.ts";
import type { CohereBody, WireTool } from "./wire.ts";

const noParameters = '{"type":"object","properties":{}}';

const choiceModes = {
  [ToolChoiceMode.UNSPECIFIED]: undefined,
  // Cohere has no value for AUTO. Omit `tool_choice` to select it.
  [ToolChoiceMode.AUTO]: undefined,
  [ToolChoiceMode.NONE]: "NONE",
  [ToolChoiceMode.REQUIRED]: "REQUIRED",
} as const satisfies Record<ToolChoiceMode, CohereBody["tool_choice"]>;

/** How a body differs from that of a target that accepts all of Dragoman's own fields. */
export interface BodyForm {
  readonly citations: "off" | "unset";
}

export const usualForm: BodyForm = { citations: "off" };

/**
 * Builds the body from a request to which Dragoman has applied the changes that `checkSupport` returned. `provider` is
 * the key of Cohere's options in `provider_options`.
 */
export function toRequest(request: ChatRequest, model: Model, provider: string, form = usualForm): CohereBody {
  const { documents, messages } = placeDocuments(request);
  const body = {
    ...optionalBody(request),
    ...formatBody(request),
    ...toolsBody(request, form),
    ...thinkingBody(request),
    ...(documents.length > 0 && { documents }),
  };
  return {
    ...mergeOptions(body, request.providerOptions[provider]),
    model: model.providerModel,
    messages: toMessages(request, messages, model),
    stream: true,
  };
}

/** Returns Cohere's name for a field. Undefined if Cohere does not support the field. */
export function wireName(field: OptionalField): string | undefined {
  const names: Partial<Record<OptionalField, string>> = cohereFields;
  return names[field];
}

function optionalBody(request: ChatRequest): Record<string, unknown> {
  const body: Record<string, unknown> = {};
  for (const field of optionalFieldNames) {
    const name = wireName(field);
    const value = optionalFields[field].value(request);
    if (name === undefined || value === undefined || (penalties.has(field) && isNeutral(field, value))) continue;
    body[name] = field === "parameters.top_k" && isNeutral(field, value) ? 0 : value;
  }
  return body;
}

function formatBody({ outputFormat }: ChatRequest): Pick<CohereBody, "response_format"> {
  const format = outputFormat?.format;
  if (format?.case === "jsonObject") return { response_format: { type: "json_object" } };
  if (format?.case !== "jsonSchema") return {};
  const { schemaJson, description } = format.value;
  // Send the schema without its name, for which Cohere has no field.
  return { response_format: { type: "json_object", json_schema: describedSchema(schemaJson, description) } };
}

/** Returns the tools that the request sends: only the named tool, if there is one, so that the model has to call it. */
export function offeredTools({
  tools,
  toolChoice,
}: Pick<ChatRequest, "tools" | "toolChoice">): readonly RequestedFunction[] {
  const { choice } = toolChoice ?? {};
  const functions = functionsOf({ tools });
  return choice?.case === "toolName" ? functions.filter(({ name }) => name === choice.value) : functions;
}

function toolsBody(
  request: ChatRequest,
  { citations }: BodyForm,
): Pick<CohereBody, "tools" | "tool_choice" | "strict_tools" | "citation_options"> {
  const { tools, toolChoice } = request;
  const choice = toolChoice?.choice;
  const offered = offeredTools({ tools, toolChoice });
  if (offered.length === 0) return {};
  const mode = choice?.case === "mode" ? choiceModes[choice.value] : choice?.case && "REQUIRED";
  return {
    tools: offered.map(toTool),
    ...(offered.some(({ strict }) => strict === true) && { strict_tools: true as const }),
    ...(mode && { tool_choice: mode }),
    // Citations of tool results add latency, so only search results have them. The provider option `citation_options`
    // turns them on for others.
    ...(citations === "off" && !wantsCitations(request) && { citation_options: { mode: "OFF" as const } }),
  };
}

function toTool({ name, description, parametersJsonSchema }: RequestedFunction): WireTool {
  const parameters = new ExactJson(parametersJsonSchema || noParameters);
  return { type: "function", function: { name, ...(description && { description }), parameters } };
}

function thinkingBody({ reasoning }: ChatRequest): Pick<CohereBody, "thinking"> {
  const control = reasoning?.control;
  switch (control?.case) {
    case undefined:
      return {};
    case "effort":
      return { thinking: { type: control.value === ReasoningEffort.NONE ? "disabled" : "enabled" } };
    case "budgetTokens":
      return control.value === 0
        ? { thinking: { type: "disabled" } }
        : { thinking: { type: "enabled", token_budget: control.value } };
    default:
      return control satisfies never;
  }
}
