import type { ChatRequest } from "../gen/dragoman/v1/chat_request_pb.js";
import type { VocabularySize } from "./token-estimate.ts";
import { estimateChatTokens, mostChatBytes, mostChatTokens } from "./usage-estimate.ts";

/** Size of a request, from which limits estimate what its call may need. The request need not be valid. */
export interface RequestSize {
  /** Model that the caller requested. */
  readonly model: string;
  readonly serviceTier: string;
  /** Number of responses that the provider generates. */
  readonly choices: number;
  /** Number of prompts, each of which the context window bounds: the inputs of a request for embeddings. */
  readonly prompts: number;
  /** Output limit of each choice in tokens. Undefined: the caller set none. */
  readonly maxOutputTokens: number | undefined;
  /** Returns an upper bound of the prompt's tokens. Reads only the lengths of texts. */
  mostTokens(): number;
  /** Returns a smaller upper bound of the prompt's tokens: its bytes. */
  mostBytes(): number;
  /** Estimates the prompt's tokens. */
  estimate(size: VocabularySize): number;
}

export function sizeOfChat(chat: ChatRequest): RequestSize {
  const { model, serviceTier, parameters } = chat;
  return {
    model,
    serviceTier,
    choices: Math.max(1, parameters?.n ?? 1),
    prompts: 1,
    maxOutputTokens: parameters?.maxOutputTokens,
    mostTokens: () => mostChatTokens(chat),
    mostBytes: () => mostChatBytes(chat),
    estimate: (size) => estimateChatTokens(chat, size),
  };
}
