import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { OutputFormat } from "../../gen/dragoman/v1/output_format_pb.js";
import { type OptionalField, optionalFieldNames, optionalFields } from "../chat-completions/fields.ts";
import { ExactJson } from "../kit/exact-json.ts";
import type { CompletionBody } from "./wire.ts";

/** Fields that Dragoman sends unchanged, with LLM Engine's names. */
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

/** Defaults of the fields that LLM Engine requires: Scale's own `max_new_tokens`, and a neutral temperature. */
export const demanded = { max_new_tokens: 100, temperature: 1 } as const;

/**
 * Returns the request body. Apply the adaptations first. `provider` is the adapter's key in `provider_options`. The
 * prompt is sent unchanged.
 */
export function toRequest(request: ChatRequest, prompt: string, provider: string): CompletionBody {
  const fields: Record<string, unknown> = {};
  for (const field of optionalFieldNames) {
    const name = taken[field];
    if (name === undefined) continue;
    const value: unknown = optionalFields[field].value(request);
    // "Off" is 0 in Dragoman's API and -1 in LLM Engine's.
    if (value !== undefined) fields[name] = field === "parameters.top_k" && value === 0 ? -1 : value;
  }
  return {
    ...demanded,
    ...fields,
    ...guide(request.outputFormat),
    ...request.providerOptions[provider],
    prompt,
  };
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
