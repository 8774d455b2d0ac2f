import { readError } from "../kit/error-body.ts";
import type { ErrorDialect } from "../kit/errors.ts";
import { promptTooLong } from "../kit/sentences.ts";
import type { Quirks } from "./quirks.ts";

/**
 * OpenAI's error rules. The other Chat Completions servers use the same shape and codes.
 * https://platform.openai.com/docs/guides/error-codes
 */
export const openAiErrors: ErrorDialect = {
  read: readError,
  codes: {
    invalid_api_key: "PROVIDER_CREDENTIALS_REJECTED",
    model_not_found: "MODEL_NOT_FOUND",
    // Together and Perplexity.
    model_not_available: "MODEL_NOT_FOUND",
    invalid_model: "MODEL_NOT_FOUND",
    context_length_exceeded: "CONTEXT_LENGTH_EXCEEDED",
    insufficient_quota: "PROVIDER_QUOTA_EXHAUSTED",
    credit_balance_exhausted: "PROVIDER_QUOTA_EXHAUSTED",
    billing_hard_limit_reached: "PROVIDER_QUOTA_EXHAUSTED",
    rate_limit_exceeded: "PROVIDER_RATE_LIMITED",
    server_is_overloaded: "PROVIDER_UNAVAILABLE",
    unsupported_parameter: "INVALID_REQUEST",
    unsupported_value: "INVALID_REQUEST",
    // Groq, also behind other servers. https://console.groq.com/docs/structured-outputs
    json_validate_failed: "JSON_GENERATION_FAILED",
    tool_use_failed: "TOOL_CALL_INVALID",
  },
  types: {
    authentication_error: "PROVIDER_CREDENTIALS_REJECTED",
    permission_error: "PROVIDER_PERMISSION_DENIED",
    not_found_error: "MODEL_NOT_FOUND",
    invalid_request_error: "INVALID_REQUEST",
    rate_limit_error: "PROVIDER_RATE_LIMITED",
    requests: "PROVIDER_RATE_LIMITED",
    tokens: "PROVIDER_RATE_LIMITED",
  },
  sentences: [
    // Message of OpenAI, DeepInfra, DeepSeek, Fireworks, Groq, OpenRouter, vLLM and SGLang. xAI writes "prompt length".
    promptTooLong(
      /maximum (?:context|prompt) length (?:is|of) (?<limit>\d+)(?:.*?(?:resulted in|requested(?: about)?|contains(?: at least)?) (?<requested>\d+))?/is,
    ),
  ],
};

/** Combines OpenAI's error rules with those of one server, and with what its base URL may lack. */
export function errorsOf(
  { readError: read = openAiErrors.read, reasons, sentences }: Quirks,
  baseUrlLacks: ErrorDialect["baseUrlLacks"],
): ErrorDialect {
  return {
    baseUrlLacks,
    read,
    codes: { ...openAiErrors.codes, ...reasons },
    types: openAiErrors.types,
    sentences: [...openAiErrors.sentences, ...sentences],
  };
}
