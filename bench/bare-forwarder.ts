/**
 * The bare forwarder: a minimal grpc-js server, to compare Dragoman with. CompleteChat forwards the request to the
 * upstream with undici and returns the text. StreamChat sends no upstream request: it sends as many deltas as the model
 * name specifies, to measure what a message costs in grpc-js.
 */
import { setImmediate } from "node:timers/promises";
import { create, type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import { Agent, request } from "undici";
import {
  type CompleteChatRequest,
  CompleteChatRequestSchema,
  type CompleteChatResponse,
  CompleteChatResponseSchema,
  type StreamChatRequest,
  StreamChatRequestSchema,
  type StreamChatResponse,
  StreamChatResponseSchema,
} from "../src/gen/dragoman/v1/chat_service_pb.js";
import { FinishReason } from "../src/gen/dragoman/v1/completion_pb.js";
import { Role } from "../src/gen/dragoman/v1/message_pb.js";
import { announce } from "./announce.ts";
import { deltaText } from "./texts.ts";

const upstream = `${process.env.OPENAI_BASE_URL}/chat/completions`;
const dispatcher = new Agent({ connections: 256 });
const headers = { "content-type": "application/json", authorization: "Bearer bench" };

interface WireCompletion {
  readonly choices: readonly { readonly message: { readonly content: string } }[];
}

async function forward({ chat }: CompleteChatRequest): Promise<CompleteChatResponse> {
  const messages = chat?.messages.map((message) => ({
    role: Role[message.role].toLowerCase(),
    content: message.parts.map((part) => (part.kind.case === "text" ? part.kind.value : "")).join(""),
  }));
  const body = JSON.stringify({ model: chat?.model, messages });
  const response = await request(upstream, { method: "POST", headers, body, dispatcher });
  // The upstream is always bench/upstream.ts, so the cast is safe.
  const completion = (await response.body.json()) as WireCompletion;
  const text = completion.choices[0]?.message.content ?? "";
  return create(CompleteChatResponseSchema, {
    completion: {
      choices: [
        {
          message: { role: Role.ASSISTANT, parts: [{ kind: { case: "text", value: text } }] },
          finishReason: FinishReason.STOP,
        },
      ],
    },
  });
}

function textDelta(text: string): StreamChatResponse {
  return {
    $typeName: "dragoman.v1.StreamChatResponse",
    seq: 0,
    event: {
      case: "delta",
      value: {
        $typeName: "dragoman.v1.PartDelta",
        choiceIndex: 0,
        partIndex: 0,
        delta: { case: "text", value: text },
      },
    },
  };
}

async function sendDeltas(call: grpc.ServerWritableStream<StreamChatRequest, StreamChatResponse>): Promise<void> {
  const [, count = "16", apart] = /-(\d+)(-apart)?/.exec(call.request.chat?.model ?? "") ?? [];
  for (let index = 0; index < Number(count) && !call.cancelled; index++) {
    call.write(textDelta(deltaText(index)));
    if (apart !== undefined) await setImmediate();
  }
  call.end();
}

function method<I extends DescMessage, O extends DescMessage>(path: string, input: I, output: O, streams: boolean) {
  const encode = <D extends DescMessage>(schema: D, message: MessageShape<D>): Buffer => {
    const bytes = toBinary(schema, message);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  };
  return {
    path: `/dragoman.v1.ChatService/${path}`,
    requestStream: false,
    responseStream: streams,
    requestDeserialize: (bytes: Buffer) => fromBinary(input, bytes),
    requestSerialize: (message: MessageShape<I>) => encode(input, message),
    responseSerialize: (message: MessageShape<O>) => encode(output, message),
    responseDeserialize: (bytes: Buffer) => fromBinary(output, bytes),
  };
}

const server = new grpc.Server();
server.addService(
  {
    completeChat: method("CompleteChat", CompleteChatRequestSchema, CompleteChatResponseSchema, false),
    streamChat: method("StreamChat", StreamChatRequestSchema, StreamChatResponseSchema, true),
  },
  {
    completeChat: (
      call: grpc.ServerUnaryCall<CompleteChatRequest, CompleteChatResponse>,
      done: grpc.sendUnaryData<CompleteChatResponse>,
    ) => {
      forward(call.request).then(
        (response) => done(null, response),
        (error: unknown) => done({ code: grpc.status.INTERNAL, details: String(error) }),
      );
    },
    streamChat: (call: grpc.ServerWritableStream<StreamChatRequest, StreamChatResponse>) => {
      sendDeltas(call).catch((error: Error) => call.destroy(error));
    },
  },
);
server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) throw error;
  announce(port);
});
