import type { LogProbs } from "../../gen/dragoman/v1/logprobs_pb.js";
import type { ChunkLogProbs, ChunkTokenLogProb } from "./wire.ts";

type Tokens = readonly ChunkTokenLogProb[] | null | undefined;

/** Converts log probabilities. Returns undefined if there are no tokens. */
export function toLogProbs(tokens: Tokens): LogProbs | undefined {
  if (tokens === null || tokens === undefined || tokens.length === 0) return undefined;
  return {
    $typeName: "dragoman.v1.LogProbs",
    tokens: tokens.map((entry) => ({
      $typeName: "dragoman.v1.TokenLogProb",
      ...shared(entry),
      topLogprobs: (entry.top_logprobs ?? []).map((top) => ({ $typeName: "dragoman.v1.TopLogProb", ...shared(top) })),
    })),
  };
}

/**
 * Returns the tokens of a text with their log probabilities. Reads OpenAI's format and the two of Together: one number
 * for the whole text of a chunk, or the lists `tokens` and `token_logprobs`.
 */
export function textTokens(logprobs: ChunkLogProbs | number | null | undefined, text: string): Tokens {
  if (typeof logprobs === "number") return text === "" ? undefined : [{ token: text, logprob: logprobs }];
  const { content, tokens, token_logprobs } = logprobs ?? {};
  if (content || !tokens || !token_logprobs) return content;
  // Skip tokens without a probability: Together's first token can be the last one of the prompt, which has none.
  return tokens.flatMap((token, index) => {
    const logprob = token_logprobs[index];
    return typeof logprob === "number" ? [{ token, logprob }] : [];
  });
}

function shared({ token, bytes, logprob }: Pick<ChunkTokenLogProb, "token" | "bytes" | "logprob">) {
  return { token, logprob, ...(bytes && { bytes: new Uint8Array(bytes) }) };
}
