import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import type { ModelRules } from "../chat-completions/adaptations.ts";
import { effortOf, type OptionalField } from "../chat-completions/fields.ts";
import { reasoningModel, takesField } from "../chat-completions/reasoning-models.ts";
import type { ResponsesServer } from "./server.ts";
import type { ResponsesBody } from "./wire.ts";

/** Names of the optional fields in the body. */
const names = {
  "parameters.max_output_tokens": "max_output_tokens",
  "parameters.temperature": "temperature",
  "parameters.top_p": "top_p",
  "parameters.top_logprobs": "top_logprobs",
  parallel_tool_calls: "parallel_tool_calls",
  prompt_cache_key: "prompt_cache_key",
  service_tier: "service_tier",
  user: "safety_identifier",
} as const satisfies Partial<Record<OptionalField, keyof ResponsesBody>>;

/** Optional fields that request.ts writes into other fields. */
const elsewhere: ReadonlySet<OptionalField> = new Set(["parameters.logprobs", "reasoning.effort"] as const);

/** Returns the name of an optional field in the body. Undefined: the API has none, or request.ts writes it. */
export function fieldName(field: OptionalField): (typeof names)[keyof typeof names] | undefined {
  const all: Partial<Record<OptionalField, (typeof names)[keyof typeof names]>> = names;
  return all[field];
}

/** Whether the API has an optional field. */
export function hasField(field: OptionalField): boolean {
  return fieldName(field) !== undefined || elsewhere.has(field);
}

/** Whether the API and the model support an optional field, at the reasoning effort of the request. */
export function takes(field: OptionalField, request: ChatRequest, rules: ModelRules): boolean {
  if (!hasField(field) || (field === "reasoning.effort" && !rules)) return false;
  return !rules || takesField(rules, field, effortOf(request));
}

/** Returns OpenAI's rules for a model. Null: it does not reason. Undefined: OpenAI's rules do not apply to it. */
export function rulesOf(model: Model, { openAiModel }: ResponsesServer): ModelRules {
  const name = openAiModel(model.providerModel);
  return name === undefined ? undefined : reasoningModel(name, model);
}
