import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import type { OutputFormat } from "../../gen/dragoman/v1/output_format_pb.js";
import type { GenerationParameters } from "../../gen/dragoman/v1/parameters_pb.js";
import { type ClaudeModel, claudeRulesOf } from "../claude/claude-models.ts";
import { describedSchema } from "../kit/exact-json.ts";
import { mergeOptions } from "../kit/merge-options.ts";
import { splitBetas } from "./betas.ts";
import { createMarker } from "./cache-marks.ts";
import { toConversation } from "./messages.ts";
import { toThinking } from "./thinking.ts";
import { toolsBody } from "./tools.ts";
import type { MessagesBody, OutputConfig } from "./wire.ts";

/**
 * Returns the request body. Dragoman drops or adjusts unsupported fields before this, see `checkSupport`. `provider` is
 * the provider's name in the configuration: the key of its options in `provider_options`.
 */
export function toRequest(request: ChatRequest, model: Model, provider: string): MessagesBody {
  const rules = claudeRulesOf(model);
  const { parameters, serviceTier } = request;
  const maxTokens = maxTokensOf(request, model, rules);
  const { thinking, effort } = toThinking(request, rules, maxTokens);
  const format = formatOf(request.outputFormat);
  const mark = createMarker(request);
  const tools = toolsBody(request, rules, { mark, provider });
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
    ...mergeOptions(body, splitBetas(request, provider).options),
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
