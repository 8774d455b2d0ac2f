import { z } from "zod";
import { isTokenWith, plainList } from "../kit/plain-list.ts";

// Responses. Source: model_engine_server/common/dtos/llms/completion.py of scaleapi/llm-engine.

interface TokenLogProb {
  readonly token: string;
  readonly log_prob: number;
}

const isToken = (value: unknown): value is TokenLogProb => isTokenWith(value, "log_prob");
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
    token: z.custom<TokenLogProb>(isToken).nullish().catch(undefined),
    /** Only in complete responses. */
    tokens: plainList(isToken).nullish().catch(undefined),
  }),
});

export type { TokenLogProb as WireTokenLogProb };

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
