import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { mergeOptions } from "../kit/merge-options.ts";
import { jsonInstruction } from "../kit/messages.ts";
import { takesField } from "./adaptations.ts";
import { createMarker, type Marker } from "./cache-points.ts";
import { toConversation } from "./messages.ts";
import { type ModelRules, modelRules } from "./model-rules.ts";
import { thinkingFields } from "./thinking.ts";
import { claudesChoice, claudesTools, toolsBody } from "./tools.ts";
import { type ConverseBody, serviceTiers } from "./wire.ts";

/** JSON pointer to the matched stop sequence in Claude's response. */
const stopSequencePath = "/delta/stop_sequence";

/**
 * Returns the request body. Dragoman drops or adjusts unsupported fields before this, see `checkSupport`. `provider` is
 * the provider's name in the configuration: the key of its options in `provider_options`.
 */
export function toRequest(request: ChatRequest, model: Model, provider: string): ConverseBody {
  const rules = modelRules(model);
  const mark = createMarker(request, rules);
  const { system, messages } = toConversation(request, rules, mark);
  const wantsJson = request.outputFormat?.format.case === "jsonObject";
  const instructions = wantsJson ? [...system, { text: jsonInstruction }] : system;
  const additional = additionalFields(request, rules, mark);
  const inference = toInferenceConfig(request, rules);
  const tier = serviceTiers.find((word) => word === request.serviceTier);
  const body: Omit<ConverseBody, "messages"> = {
    ...(isEmpty(inference) ? {} : { inferenceConfig: inference }),
    ...toolsBody(request, rules, mark),
    ...formatBody(request),
    ...(tier && { serviceTier: { type: tier } }),
    ...(inference.stopSequences && rules.claude && { additionalModelResponseFieldPaths: [stopSequencePath] }),
    ...(isEmpty(additional) ? {} : { additionalModelRequestFields: additional }),
    ...(instructions.length > 0 && { system: instructions }),
  };
  return { ...mergeOptions(body, request.providerOptions[provider]), messages };
}

function toInferenceConfig(request: ChatRequest, rules: ModelRules): NonNullable<ConverseBody["inferenceConfig"]> {
  const { maxOutputTokens, temperature, topP, stopSequences = [] } = request.parameters ?? {};
  const takes = (field: Parameters<typeof takesField>[0]) => takesField(field, request, rules);
  return {
    ...(maxOutputTokens !== undefined && takes("parameters.max_output_tokens") && { maxTokens: maxOutputTokens }),
    ...(temperature !== undefined && takes("parameters.temperature") && { temperature }),
    ...(topP !== undefined && takes("parameters.top_p") && { topP }),
    ...(stopSequences.length > 0 && takes("parameters.stop_sequences") && { stopSequences }),
  };
}

function additionalFields(request: ChatRequest, rules: ModelRules, mark: Marker): Record<string, unknown> {
  const topK = takesField("parameters.top_k", request, rules) ? (request.parameters?.topK ?? 0) : 0;
  const choice = claudesChoice(request, rules);
  return {
    ...thinkingFields(request, rules.thinking),
    ...(topK > 0 && { top_k: topK }),
    ...(choice && { tool_choice: choice }),
    ...claudesTools(request, rules, mark),
  };
}

function formatBody({ outputFormat }: ChatRequest): Pick<ConverseBody, "outputConfig"> {
  if (outputFormat?.format.case !== "jsonSchema") return {};
  const { name, description, schemaJson } = outputFormat.format.value;
  const jsonSchema = { schema: schemaJson, name, ...(description && { description }) };
  return { outputConfig: { textFormat: { type: "json_schema", structure: { jsonSchema } } } };
}

function isEmpty(value: object): boolean {
  return Object.keys(value).length === 0;
}
