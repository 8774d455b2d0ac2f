import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { OutputFormat } from "../../gen/dragoman/v1/output_format_pb.js";
import { type OptionalField, optionalFieldNames, optionalFields } from "../chat-completions/fields.ts";
import { ExactJson } from "../kit/exact-json.ts";
import { mergeOptions } from "../kit/merge-options.ts";
import type { CompletionBody } from "./wire.ts";

/** Fields that LLM Engine v1 supports, with its names for them. */
export const taken: Readonly<Partial<Record<OptionalField, string>>> = {
  "parameters.max_output_tokens": "max_new_tokens",
  "parameters.temperature": "temperature",
  "parameters.top_p": "top_p",
  "parameters.top_k": "top_k",
  "parameters.stop_sequences": "stop_sequences",
  "parameters.presence_penalty": "presence_penalty",
  "parameters.frequency_penalty": "frequency_penalty",
  "parameters.logprobs": "return_token_log_probs",
};

/**
 * Defaults of the fields that LLM Engine requires: the neutral temperature 1, and Scale's own `max_new_tokens`, for
 * models whose context window Dragoman does not know.
 */
export const demanded = { max_new_tokens: 100, temperature: 1 } as const;

/**
 * Returns the request body. Dragoman drops or adjusts unsupported fields before this, see `checkSupport`. `provider` is
 * the provider's name in the configuration: the key of its options in `provider_options`. They cannot replace `prompt`.
 */
export function toRequest(request: ChatRequest, prompt: string, provider: string): CompletionBody {
  const fields: Record<string, unknown> = {};
  for (const field of optionalFieldNames) {
    const name = taken[field];
    if (name === undefined) continue;
    const value: unknown = optionalFields[field].value(request);
    // Dragoman's API turns top_k off with 0, LLM Engine with -1.
    if (value !== undefined) fields[name] = field === "parameters.top_k" && value === 0 ? -1 : value;
  }
  const body = { ...demanded, ...fields, ...guide(request.outputFormat) };
  return { ...mergeOptions(body, request.providerOptions[provider]), prompt };
}

function guide(outputFormat: OutputFormat | undefined): Pick<CompletionBody, "guided_json" | "guided_regex"> {
  const format = outputFormat?.format;
  switch (format?.case) {
    case undefined:
    case "text":
      return {};
    case "jsonObject":
      return { guided_json: { type: "object" } };
    case "jsonSchema":
      return { guided_json: new ExactJson(format.value.schemaJson) };
    case "regex":
      return { guided_regex: format.value.pattern };
    default:
      return format satisfies never;
  }
}
