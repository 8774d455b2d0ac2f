import { z } from "zod";
import { openAiErrors } from "../chat-completions/errors.ts";
import { extendReader } from "../kit/error-body.ts";
import type { ErrorDialect } from "../kit/errors.ts";

const errorBody = z.object({
  error: z.object({
    status_code: z.number().optional().catch(undefined),
    content: z.object({ error: z.string() }).optional().catch(undefined),
  }),
});

/** Reads an error in a stream of v1 or v2, whose message is one level deeper than in other APIs. */
export const readLlmEngineError = extendReader(errorBody, ({ error: { status_code, content } }, common) => ({
  message: common.message || (content?.error ?? ""),
  status: status_code ?? common.status,
}));

/** Errors of v1. v2 passes on the errors of vLLM or SGLang, so OpenAI's codes apply to both. */
export const llmEngineErrors: ErrorDialect = { ...openAiErrors, read: readLlmEngineError };
