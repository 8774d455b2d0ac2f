import type { GatewayError } from "../../errors.ts";
import { messageOf } from "../kit/error-message.ts";
import { type ErrorParams, kinds, toOpenAiError } from "../openai-shape/errors.ts";
import type { ResponseError } from "./wire.ts";

/** Fields of this API that differ from those of OpenAI's chat API. */
const params: ErrorParams = { CONTEXT_LENGTH_EXCEEDED: "input", JSON_GENERATION_FAILED: "text.format" };

/** Translates an error to OpenAI's error response. */
export const toResponsesError = (error: GatewayError, requestId: string) => toOpenAiError(error, requestId, params);

/**
 * Codes of a failed response. OpenAI documents only the first two; Codex ends a turn at the others, and repeats it at
 * any other code.
 */
const failureCodes: ReadonlySet<string> = new Set([
  "server_error",
  "rate_limit_exceeded",
  "context_length_exceeded",
  "insufficient_quota",
]);

/** Returns the error of a response that failed after its first event. */
export function toFailure(error: GatewayError, requestId: string): ResponseError {
  const { code, type } = kinds[error.reason];
  const message = messageOf(error, requestId);
  const known = [code, type].find((word) => failureCodes.has(word));
  return { code: known ?? (type === "rate_limit_error" ? "rate_limit_exceeded" : "server_error"), message };
}
