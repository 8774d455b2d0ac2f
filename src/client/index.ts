// What `import ... from "dragoman/client"` has: the messages and services of the contract, and a client.

export { Code, ConnectError } from "@connectrpc/connect";
export * from "../gen/dragoman/admin/v1/account_pb.js";
export * from "../gen/dragoman/admin/v1/account_service_pb.js";
export * from "../gen/dragoman/admin/v1/call_record_pb.js";
export * from "../gen/dragoman/admin/v1/key_pb.js";
export * from "../gen/dragoman/admin/v1/key_service_pb.js";
export * from "../gen/dragoman/admin/v1/limits_pb.js";
export * from "../gen/dragoman/admin/v1/routing_service_pb.js";
export * from "../gen/dragoman/admin/v1/target_pb.js";
export * from "../gen/dragoman/admin/v1/usage_service_pb.js";
export * from "../gen/dragoman/v1/attempt_pb.js";
export * from "../gen/dragoman/v1/chat_request_pb.js";
export * from "../gen/dragoman/v1/chat_service_pb.js";
export * from "../gen/dragoman/v1/citation_pb.js";
export * from "../gen/dragoman/v1/completion_pb.js";
export * from "../gen/dragoman/v1/embedding_service_pb.js";
export * from "../gen/dragoman/v1/error_pb.js";
export * from "../gen/dragoman/v1/logprobs_pb.js";
export * from "../gen/dragoman/v1/media_pb.js";
export * from "../gen/dragoman/v1/memory_strategy_pb.js";
export * from "../gen/dragoman/v1/message_pb.js";
export * from "../gen/dragoman/v1/modality_pb.js";
export * from "../gen/dragoman/v1/model_pb.js";
export * from "../gen/dragoman/v1/model_service_pb.js";
export * from "../gen/dragoman/v1/output_format_pb.js";
export * from "../gen/dragoman/v1/parameters_pb.js";
export * from "../gen/dragoman/v1/profile_pb.js";
export * from "../gen/dragoman/v1/provider_state_pb.js";
export * from "../gen/dragoman/v1/reasoning_pb.js";
export * from "../gen/dragoman/v1/stream_pb.js";
export * from "../gen/dragoman/v1/token_service_pb.js";
export * from "../gen/dragoman/v1/tool_pb.js";
export * from "../gen/dragoman/v1/usage_pb.js";
export * from "../gen/dragoman/v1/warning_pb.js";
export {
  type BadRequest,
  BadRequestSchema,
  type ErrorInfo,
  ErrorInfoSchema,
  type QuotaFailure,
  QuotaFailureSchema,
  type RetryInfo,
  RetryInfoSchema,
} from "../gen/google/rpc/error_details_pb.js";
export { type ClientOptions, createDragomanClient, type DragomanClient, type TlsOptions } from "./client.ts";
