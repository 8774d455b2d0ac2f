import { z } from "zod";
import type { Reason } from "../../../../errors.ts";
import { extendReader, word } from "../../../kit/error-body.ts";

/**
 * Reads the model's output from an error: Groq returns both if the output is not the requested JSON, or if its tool call
 * does not fit the tools.
 * https://console.groq.com/docs/structured-outputs
 */
export const readGroqError = extendReader(
  z.object({ error: z.object({ failed_generation: word }) }),
  ({ error: { failed_generation: failedGeneration } }) => ({ failedGeneration }),
);

/** Reasons by Groq's error codes and HTTP statuses. https://console.groq.com/docs/errors */
export const groqReasons = {
  json_validate_failed: "JSON_GENERATION_FAILED",
  tool_use_failed: "TOOL_CALL_INVALID",
  // Groq returns 498 if the service tier flex has no capacity.
  498: "PROVIDER_UNAVAILABLE",
} as const satisfies Readonly<Record<string, Reason>>;
