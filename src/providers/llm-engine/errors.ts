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

/** Errors of v1. They have OpenAI's codes, as do those of v2, which LLM Engine passes on from vLLM or SGLang. */
export const llmEngineErrors: ErrorDialect = { ...openAiErrors, read: readLlmEngineError };
