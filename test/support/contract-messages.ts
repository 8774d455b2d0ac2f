import type { DescMessage } from "@bufbuild/protobuf";
import { AccountService } from "../../src/gen/dragoman/admin/v1/account_service_pb.js";
import { KeyService } from "../../src/gen/dragoman/admin/v1/key_service_pb.js";
import { RoutingService } from "../../src/gen/dragoman/admin/v1/routing_service_pb.js";
import { UsageService } from "../../src/gen/dragoman/admin/v1/usage_service_pb.js";
import { ChatService } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { EmbeddingService } from "../../src/gen/dragoman/v1/embedding_service_pb.js";
import { ModelService } from "../../src/gen/dragoman/v1/model_service_pb.js";
import { TokenService } from "../../src/gen/dragoman/v1/token_service_pb.js";

const services = [
  ...[ChatService, EmbeddingService, ModelService, TokenService],
  ...[AccountService, KeyService, RoutingService, UsageService],
];

/** Requests of all methods. */
export const contractRequests: readonly DescMessage[] = services.flatMap(({ methods }) =>
  methods.map(({ input }) => input),
);

/** Requests and responses of all methods. */
export const contractMessages: readonly DescMessage[] = [
  ...contractRequests,
  ...services.flatMap(({ methods }) => methods.map(({ output }) => output)),
];
