import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { type ClientHttp2Session, connect } from "node:http2";
import type { Readable } from "node:stream";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { ChatRequest } from "../../src/gen/dragoman/v1/chat_request_pb.js";
import {
  StreamChatRequestSchema,
  type StreamChatResponse,
  StreamChatResponseSchema,
} from "../../src/gen/dragoman/v1/chat_service_pb.js";

/** StreamChat call without a client library, so that the test controls when to read. */
export interface RawStream {
  /** Bytes of the response. Paused until the test reads. */
  readonly body: Readable;
  /** Closes the connection without cancelling the call first. */
  destroy(): void;
}

const path = "/dragoman.v1.ChatService/StreamChat";

/** Encodes a length-prefixed request message, as gRPC and Connect streams use it. */
function envelope(chat: ChatRequest, keepProviderDeltas: boolean): Buffer {
  const request = create(StreamChatRequestSchema, { chat, options: { keepProviderDeltas } });
  const message = toBinary(StreamChatRequestSchema, request);
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** Opens a Connect stream of binary messages on the HTTP listener. Resolves when the response has started. */
export async function openConnectStream(address: string, chat: ChatRequest): Promise<RawStream> {
  const request = httpRequest(`http://${address}${path}`, {
    method: "POST",
    headers: { "content-type": "application/connect+proto" },
  });
  request.on("error", () => {});
  request.end(envelope(chat, true));
  const [response]: IncomingMessage[] = await once(request, "response");
  if (response === undefined) throw new Error("the response event has no response");
  response.on("error", () => {});
  return { body: response.pause(), destroy: () => request.destroy() };
}

/** Opens a gRPC stream with the default window of 64 KiB. Resolves when the response has started. */
export async function openGrpcStream(address: string, chat: ChatRequest): Promise<RawStream> {
  const session: ClientHttp2Session = connect(`http://${address}`);
  session.on("error", () => {});
  const stream = session.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc+proto",
    te: "trailers",
  });
  stream.on("error", () => {});
  stream.end(envelope(chat, true));
  await once(stream, "response");
  stream.once("close", () => session.close());
  return { body: stream.pause(), destroy: () => session.destroy() };
}

/** Reads all messages of a raw stream. */
export async function* readMessages({ body }: RawStream): AsyncGenerator<StreamChatResponse> {
  let buffered = Buffer.alloc(0);
  for await (const chunk of body) {
    buffered = Buffer.concat([buffered, chunk]);
    while (buffered.length >= 5) {
      const end = 5 + buffered.readUInt32BE(1);
      if (buffered.length < end) break;
      const isEndOfConnectStream = buffered.readUInt8(0) === 2;
      if (!isEndOfConnectStream) yield fromBinary(StreamChatResponseSchema, buffered.subarray(5, end));
      buffered = buffered.subarray(end);
    }
  }
}
