import { AccountService } from "../../gen/dragoman/admin/v1/account_service_pb.js";
import { KeyService } from "../../gen/dragoman/admin/v1/key_service_pb.js";
import { RoutingService } from "../../gen/dragoman/admin/v1/routing_service_pb.js";
import { UsageService } from "../../gen/dragoman/admin/v1/usage_service_pb.js";
import { ChatService } from "../../gen/dragoman/v1/chat_service_pb.js";
import { EmbeddingService } from "../../gen/dragoman/v1/embedding_service_pb.js";
import { ModelService } from "../../gen/dragoman/v1/model_service_pb.js";
import { TokenService } from "../../gen/dragoman/v1/token_service_pb.js";

const services = [
  ChatService,
  EmbeddingService,
  TokenService,
  ModelService,
  RoutingService,
  UsageService,
  KeyService,
  AccountService,
];

const fullNames = new Map(
  services.flatMap(({ typeName, methods }) => methods.map(({ name }) => [name, `${typeName}/${name}`] as const)),
);

/** `rpc.system.name` of the protocols of calls. Those of HTTP APIs are no RPCs. */
const systems: Readonly<Record<string, string>> = { grpc: "grpc", "grpc-web": "grpc", connect: "connectrpc" };

/** An RPC in the words of the semantic conventions. */
export interface Rpc {
  readonly system: string;
  /** Full name, such as `dragoman.v1.ChatService/CompleteChat`. */
  readonly method: string;
}

/** Returns the RPC of a call. Undefined for calls of HTTP APIs. */
export function rpcOf(call: { readonly method: string; readonly protocol: string }): Rpc | undefined {
  const system = systems[call.protocol];
  return system === undefined ? undefined : { system, method: fullNames.get(call.method) ?? call.method };
}
