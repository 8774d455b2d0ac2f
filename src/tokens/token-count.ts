import type { ChatRequest } from "../gen/dragoman/v1/chat_request_pb.js";

/** Number of tokens of a prompt. */
export interface TokenCount {
  readonly tokens: number;
  /** False if `tokens` is an estimate. The true count is then between `low` and `high`. */
  readonly exact: boolean;
  readonly low: number;
  readonly high: number;
}

/** Counts the tokens of prompts for one model. */
export interface TokenCounter {
  /** Estimates without a tokenizer: fast and synchronous. */
  estimate(chat: ChatRequest): TokenCount;
  /** Counts as exactly as possible. */
  count(chat: ChatRequest): Promise<TokenCount>;
}
