import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { toRequest as toOpenAiRequest } from "../chat-completions/request.ts";
import type { ChatBody } from "../chat-completions/wire.ts";
import { toMessages } from "./messages.ts";
import { mistralQuirks } from "./quirks.ts";
import type { WireMessage } from "./wire.ts";

/** Request body. */
export interface MistralBody extends Pick<ChatBody, "tools" | "tool_choice"> {
  readonly model: string;
  readonly messages: readonly WireMessage[];
  readonly stream: boolean;
  readonly [field: string]: unknown;
}

/** Builds the body from a request to which Dragoman has applied the changes that `checkSupport` returned. */
export function toRequest(request: ChatRequest, model: Model, provider: string, streamed: boolean): MistralBody {
  const body = toOpenAiRequest({ ...request, messages: [] }, model, mistralQuirks, provider, streamed);
  return { ...body, messages: toMessages(request, model) };
}
