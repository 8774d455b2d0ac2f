import { z } from "zod";

// What is read: model_engine_server/common/dtos/llms/completion.py of scaleapi/llm-engine.

const tokenLogProb = z.object({ token: z.string(), log_prob: z.number() });
const count = z.int().nonnegative().nullish().catch(undefined);

/** An event of a stream, or a whole answer: the two differ in three fields. */
export const answerSchema = z.object({
  request_id: z.string().nullish().catch(undefined),
  output: z.object({
    text: z.string(),
    /** Only in streams. */
    finished: z.boolean().nullish(),
    num_prompt_tokens: count,
    /** Of the whole answer so far. */
    num_completion_tokens: count,
    /** In streams. */
    token: tokenLogProb.nullish().catch(undefined),
    /** In whole answers. */
    tokens: z.array(tokenLogProb).nullish().catch(undefined),
  }),
});

export type WireTokenLogProb = z.infer<typeof tokenLogProb>;

// What is sent.

export interface CompletionBody {
  readonly prompt: string;
  readonly max_new_tokens: number;
  /** 0 to 1. */
  readonly temperature: number;
  readonly guided_json?: unknown;
  readonly guided_regex?: string;
  readonly [field: string]: unknown;
}
