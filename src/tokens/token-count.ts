import type { ChatRequest } from "../gen/dragoman/v1/chat_request_pb.js";

/** A count of a prompt's tokens. */
export interface TokenCount {
  readonly tokens: number;
  /** False: estimated, and the true count is between `low` and `high`. */
  readonly exact: boolean;
  readonly low: number;
  readonly high: number;
}

/** Counts the tokens of a prompt for one model: cheaply, and as well as can be. */
export interface TokenCounter {
  estimate(chat: ChatRequest): TokenCount;
  count(chat: ChatRequest): Promise<TokenCount>;
}
