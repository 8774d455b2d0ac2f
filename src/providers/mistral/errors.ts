import { openAiErrors } from "../chat-completions/errors.ts";
import type { ErrorDialect } from "../kit/errors.ts";
import { promptTooLong } from "../kit/sentences.ts";

/** Mistral's error rules: OpenAI's shape, with Mistral's codes. */
export const mistralErrors: ErrorDialect = {
  ...openAiErrors,
  // Error codes and types that say more than the HTTP status of the same error.
  codes: {
    "1500": "MODEL_NOT_FOUND",
    unknown_model: "MODEL_NOT_FOUND",
    invalid_model: "MODEL_NOT_FOUND",
    "3230": "INVALID_REQUEST",
    invalid_request_message_order: "INVALID_REQUEST",
  },
  sentences: [
    // https://docs.mistral.ai/resources/known-limitations
    promptTooLong(
      /prompt contains (?<requested>\d+) tokens.*too large for model with (?<limit>\d+) maximum context length/is,
    ),
  ],
};
