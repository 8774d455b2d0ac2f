import { z } from "zod";

// Responses. Source: model_engine_server/common/dtos/llms/completion.py of scaleapi/llm-engine.

const tokenLogProb = z.object({ token: z.string(), log_prob: z.number() });
const count = z.int().nonnegative().nullish().catch(undefined);

/** One SSE event, or a complete response: they differ in three fields. */
export const answerSchema = z.object({
  request_id: z.string().nullish().catch(undefined),
  output: z.object({
    text: z.string(),
    /** Only in SSE events. */
    finished: z.boolean().nullish(),
    num_prompt_tokens: count,
    /** Number of output tokens so far. */
    num_completion_tokens: count,
    /** Only in SSE events. */
    token: tokenLogProb.nullish().catch(undefined),
    /** Only in complete responses. */
    tokens: z.array(tokenLogProb).nullish().catch(undefined),
  }),
});

export type WireTokenLogProb = z.infer<typeof tokenLogProb>;

// Requests.

export interface CompletionBody {
  readonly prompt: string;
  readonly max_new_tokens: number;
  /** 0 to 1. */
  readonly temperature: number;
  readonly guided_json?: unknown;
  readonly guided_regex?: string;
  readonly [field: string]: unknown;
}
