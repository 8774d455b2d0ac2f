import type { ChatRequest } from "../gen/dragoman/v1/chat_request_pb.js";
import type { EmbedRequest } from "../gen/dragoman/v1/embedding_service_pb.js";

/** Request as it was planned for a provider. */
export type SentRequest = ChatRequest | EmbedRequest;
