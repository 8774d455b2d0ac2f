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

/** A StreamChat call made without a client library, whose reader is under the test's control. */
export interface RawStream {
  /** The response's bytes. Paused until somebody reads. */
  readonly body: Readable;
  /** Goes away without a word. */
  destroy(): void;
}

const path = "/dragoman.v1.ChatService/StreamChat";

/** Length-prefixed, as gRPC and Connect streams both are. */
function envelope(chat: ChatRequest, keepProviderDeltas: boolean): Buffer {
  const request = create(StreamChatRequestSchema, { chat, options: { keepProviderDeltas } });
  const message = toBinary(StreamChatRequestSchema, request);
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** Over the HTTP listener, as a Connect stream of binary messages. Resolves when the response has begun. */
export async function openConnectStream(address: string, chat: ChatRequest): Promise<RawStream> {
  const request = httpRequest(`http://${address}${path}`, {
    method: "POST",
    headers: { "content-type": "application/connect+proto" },
  });
  request.on("error", () => {});
  request.end(envelope(chat, true));
  const [response]: IncomingMessage[] = await once(request, "response");
  if (response === undefined) throw new Error("a response event brings a response");
  response.on("error", () => {});
  return { body: response.pause(), destroy: () => request.destroy() };
}

/** Over the gRPC listener, with the default window of 64 KiB. Resolves when the response has begun. */
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

/** Reads the messages of a raw stream to its end. */
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
