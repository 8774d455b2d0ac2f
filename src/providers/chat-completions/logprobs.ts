import type { LogProbs } from "../../gen/dragoman/v1/logprobs_pb.js";
import type { ChunkLogProbs, ChunkTokenLogProb } from "./wire.ts";

type Tokens = readonly ChunkTokenLogProb[] | null | undefined;

/** Undefined when there is not one token. */
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

/** The tokens of a text, in OpenAI's form or in those of Together: one number for a chunk's text, or two lists. */
export function textTokens(logprobs: ChunkLogProbs | number | null | undefined, text: string): Tokens {
  if (typeof logprobs === "number") return text === "" ? undefined : [{ token: text, logprob: logprobs }];
  const { content, tokens, token_logprobs } = logprobs ?? {};
  if (content || !tokens || !token_logprobs) return content;
  // The first token of a list has no probability where it is the prompt's last.
  return tokens.flatMap((token, index) => {
    const logprob = token_logprobs[index];
    return typeof logprob === "number" ? [{ token, logprob }] : [];
  });
}

function shared({ token, bytes, logprob }: Pick<ChunkTokenLogProb, "token" | "bytes" | "logprob">) {
  return { token, logprob, ...(bytes && { bytes: Uint8Array.from(bytes) }) };
}
