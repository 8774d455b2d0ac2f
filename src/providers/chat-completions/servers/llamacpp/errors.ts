import { z } from "zod";
import type { Reason } from "../../../../errors.ts";
import { extendReader } from "../../../kit/error-body.ts";

export const llamaCppReasons = {
  exceed_context_size_error: "CONTEXT_LENGTH_EXCEEDED",
} as const satisfies Readonly<Record<string, Reason>>;

/** Reads the prompt length and the context window, which are fields of the error for a prompt that is too long. */
export const readLlamaCppError = extendReader(
  z.object({ error: z.object({ n_ctx: z.number(), n_prompt_tokens: z.number() }) }),
  ({ error: { n_ctx: limit, n_prompt_tokens: requested } }) => ({ contextLengths: { limit, requested } }),
);
