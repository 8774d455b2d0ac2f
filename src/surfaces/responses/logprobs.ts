import type { LogProbs, TokenLogProb, TopLogProb } from "../../gen/dragoman/v1/logprobs_pb.js";
import type { TokenLogprob } from "./wire.ts";

/** Returns the log probabilities of tokens. */
export function tokensOf(logprobs: LogProbs | undefined): readonly TokenLogprob[] {
  return (logprobs?.tokens ?? []).map((token: TokenLogProb) => ({
    ...toToken(token),
    top_logprobs: token.topLogprobs.map(toToken),
  }));
}

/** The API requires the bytes of a token, which some providers do not send. */
function toToken({ token, bytes, logprob }: Pick<TopLogProb, "token" | "bytes" | "logprob">) {
  return { token, bytes: [...(bytes ?? Buffer.from(token))], logprob };
}

/** Returns the first tokens whose texts have at least this length together, and the rest. */
export function splitTokens(logprobs: LogProbs, length: number): readonly [LogProbs, LogProbs] {
  let joined = 0;
  const end = logprobs.tokens.findIndex(({ token }) => {
    joined += token.length;
    return joined >= length;
  });
  const count = end < 0 ? logprobs.tokens.length : end + 1;
  const { tokens } = logprobs;
  return [
    { ...logprobs, tokens: tokens.slice(0, count) },
    { ...logprobs, tokens: tokens.slice(count) },
  ];
}
