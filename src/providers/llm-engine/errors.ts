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

/** An error in a stream, in both APIs: its status, and its message one level deeper than elsewhere. */
export const readLlmEngineError = extendReader(errorBody, ({ error: { status_code, content } }, common) => ({
  message: common.message || (content?.error ?? ""),
  status: status_code ?? common.status,
}));

/** The errors of v1. v2 passes those of vLLM or SGLang on, so that OpenAI's codes hold for both. */
export const llmEngineErrors: ErrorDialect = { ...openAiErrors, read: readLlmEngineError };
