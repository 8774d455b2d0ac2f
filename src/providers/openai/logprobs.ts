import type { LogProbs } from "../../gen/dragoman/v1/logprobs_pb.js";
import type { ChunkTokenLogProb } from "./wire.ts";

/** Undefined when there is not one token. */
export function toLogProbs(tokens: readonly ChunkTokenLogProb[] | null | undefined): LogProbs | undefined {
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

function shared({ token, bytes, logprob }: Pick<ChunkTokenLogProb, "token" | "bytes" | "logprob">) {
  return { token, logprob, ...(bytes && { bytes: Uint8Array.from(bytes) }) };
}
