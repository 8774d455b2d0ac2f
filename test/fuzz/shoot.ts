import { create, fromJson, toBinary } from "@bufbuild/protobuf";
import { ChatRequestSchema } from "../../src/gen/dragoman/v1/chat_request_pb.js";
import { CompleteChatRequestSchema, StreamChatRequestSchema } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { MessageSchema, Role } from "../../src/gen/dragoman/v1/message_pb.js";
import { frame } from "../server/raw-calls.ts";
import { shootConnection } from "./shoot-connection.ts";
import { shootGrpc } from "./shoot-grpc.ts";
import { shootHttp } from "./shoot-http.ts";
import { type ProviderShot, type RequestShot, type Shot, toBytes } from "./shot.ts";
import type { Target } from "./target.ts";

/** What came back for a shot. */
export interface Outcome {
  /** Values of `x-request-id` that name calls. */
  readonly ids: readonly string[];
  /** What is wrong with the response; undefined if nothing. */
  readonly problem: string | undefined;
}

/** Fires a shot and reads the response to its end. */
export async function shoot(target: Target, shot: Shot): Promise<Outcome> {
  const { grpcAddress, httpAddress } = target.service;
  switch (shot.to) {
    case "HTTP connection":
      return shootConnection(httpAddress, shot);
    case "gRPC connection":
      return shootConnection(grpcAddress, shot);
    case "HTTP":
      return shootHttp(httpAddress, shot);
    case "gRPC":
      return shootGrpc(grpcAddress, shot);
    case "provider": {
      const marker = target.upstream.expect(shot);
      try {
        return await shoot(target, callOf(shot, marker));
      } finally {
        target.upstream.forget(marker);
      }
    }
    default:
      return shot satisfies never;
  }
}

/** The call that makes Dragoman request the response of a hostile provider. */
function callOf({ model, through, request }: ProviderShot, marker: string): RequestShot {
  switch (through) {
    case "StreamChat":
    case "CompleteChat": {
      const chat = fromJson(ChatRequestSchema, request);
      chat.model = model;
      const parts = [{ kind: { case: "text" as const, value: marker } }];
      chat.messages = [create(MessageSchema, { role: Role.USER, parts })];
      const message =
        through === "StreamChat"
          ? toBinary(StreamChatRequestSchema, create(StreamChatRequestSchema, { chat }))
          : toBinary(CompleteChatRequestSchema, create(CompleteChatRequestSchema, { chat }));
      return grpcRequest(through, message);
    }
    case "OpenAI stream":
    case "OpenAI whole": {
      const body = { model, messages: [{ role: "user", content: marker }], stream: through === "OpenAI stream" };
      return jsonRequest("/v1/chat/completions", JSON.stringify(body));
    }
    default:
      return through satisfies never;
  }
}

/** A gRPC call of ChatService with one message. */
export function grpcRequest(method: string, message: Uint8Array): RequestShot {
  return { to: "gRPC", path: `/dragoman.v1.ChatService/${method}`, headers: {}, body: toBytes(frame(message)) };
}

/** A JSON request. `text` is the body in UTF-8. */
export function jsonRequest(path: string, text: string): RequestShot {
  return { to: "HTTP", path, headers: { "content-type": "application/json" }, body: toBytes(Buffer.from(text)) };
}
