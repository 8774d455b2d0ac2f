import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { jsonInstruction } from "../kit/messages.ts";
import { takesField } from "./adaptations.ts";
import { createMarker } from "./cache-points.ts";
import { type Family, familyOf } from "./families.ts";
import { toConversation } from "./messages.ts";
import { thinkingFields } from "./thinking.ts";
import { claudesChoice, toolsBody } from "./tools.ts";
import { type ConverseBody, serviceTiers } from "./wire.ts";

/** Where Claude says which stop sequence matched. */
const stopSequencePath = "/delta/stop_sequence";

/** The body for a request to which the adaptations have been applied. `provider` is the key of its own options. */
export function toRequest(request: ChatRequest, model: Model, provider: string): ConverseBody {
  const family = familyOf(model.providerModel);
  const mark = createMarker(request, family);
  const { system, messages } = toConversation(request, family, mark);
  const { additionalModelRequestFields, inferenceConfig, ...options } = request.providerOptions[provider] ?? {};
  const wantsJson = request.outputFormat?.format.case === "jsonObject";
  const instructions = wantsJson ? [...system, { text: jsonInstruction }] : system;
  const additional = { ...additionalFields(request, family), ...asObject(additionalModelRequestFields) };
  const inference = { ...toInferenceConfig(request, family), ...asObject(inferenceConfig) };
  const tier = serviceTiers.find((word) => word === request.serviceTier);
  return {
    ...(isEmpty(inference) ? {} : { inferenceConfig: inference }),
    ...toolsBody(request, family, mark),
    ...formatBody(request),
    ...(tier && { serviceTier: { type: tier } }),
    ...(inference.stopSequences && family.claude && { additionalModelResponseFieldPaths: [stopSequencePath] }),
    ...options,
    ...(isEmpty(additional) ? {} : { additionalModelRequestFields: additional }),
    ...(instructions.length > 0 && { system: instructions }),
    messages,
  };
}

function toInferenceConfig(request: ChatRequest, family: Family): NonNullable<ConverseBody["inferenceConfig"]> {
  const { maxOutputTokens, temperature, topP, stopSequences = [] } = request.parameters ?? {};
  const takes = (field: Parameters<typeof takesField>[0]) => takesField(field, request, family);
  return {
    ...(maxOutputTokens !== undefined && takes("parameters.max_output_tokens") && { maxTokens: maxOutputTokens }),
    ...(temperature !== undefined && takes("parameters.temperature") && { temperature }),
    ...(topP !== undefined && takes("parameters.top_p") && { topP }),
    ...(stopSequences.length > 0 && takes("parameters.stop_sequences") && { stopSequences }),
  };
}

function additionalFields(request: ChatRequest, family: Family): Record<string, unknown> {
  const topK = takesField("parameters.top_k", request, family) ? (request.parameters?.topK ?? 0) : 0;
  const choice = claudesChoice(request, family);
  return {
    ...thinkingFields(request, family.thinking),
    ...(topK > 0 && { top_k: topK }),
    ...(choice && { tool_choice: choice }),
  };
}

function formatBody({ outputFormat }: ChatRequest): Pick<ConverseBody, "outputConfig"> {
  if (outputFormat?.format.case !== "jsonSchema") return {};
  const { name, description, schemaJson } = outputFormat.format.value;
  const jsonSchema = { schema: schemaJson, name, ...(description && { description }) };
  return { outputConfig: { textFormat: { type: "json_schema", structure: { jsonSchema } } } };
}

function asObject(value: unknown): object {
  return typeof value === "object" && value !== null ? value : {};
}

function isEmpty(value: object): boolean {
  return Object.keys(value).length === 0;
}
