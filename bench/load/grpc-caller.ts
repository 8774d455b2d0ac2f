import { create, toBinary } from "@bufbuild/protobuf";
import { Client, credentials, Metadata } from "@grpc/grpc-js";
import { type ChatRequest, ChatRequestSchema } from "../../src/gen/dragoman/v1/chat_request_pb.js";
import { CompleteChatRequestSchema, StreamChatRequestSchema } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { Role } from "../../src/gen/dragoman/v1/message_pb.js";
import { type Caller, conversation, type StreamAnswer, type StreamAsk } from "./caller.ts";

const deadlineMs = 60_000;
// First byte of an encoded StreamChatResponse with a delta: field 2, length-delimited.
const deltaTag = 0x12;

function chat(model: string): ChatRequest {
  const text = (value: string) => ({ kind: { case: "text", value } }) as const;
  return create(ChatRequestSchema, {
    model: `openai/${model}`,
    messages: [
      { role: Role.SYSTEM, parts: [text(conversation.system)] },
      { role: Role.USER, parts: [text(conversation.user)] },
    ],
  });
}

function raw(bytes: Buffer): Buffer {
  return bytes;
}

/** Calls a gRPC server over several connections. It does not decode messages, to save CPU in the load generator. */
export class GrpcCaller implements Caller {
  readonly #clients: readonly Client[];
  readonly #metadata = new Metadata();
  #turn = 0;

  constructor(port: number, connections: number, headers: Readonly<Record<string, string>> = {}) {
    for (const [name, value] of Object.entries(headers)) this.#metadata.set(name, value);
    this.#clients = Array.from(
      { length: connections },
      () => new Client(`127.0.0.1:${port}`, credentials.createInsecure(), { "grpc.use_local_subchannel_pool": 1 }),
    );
  }

  #next(): Client {
    const client = this.#clients[this.#turn++ % this.#clients.length];
    if (client === undefined) throw new Error("no connections");
    return client;
  }

  complete(model: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const path = "/dragoman.v1.ChatService/CompleteChat";
      const options = { deadline: Date.now() + deadlineMs };
      this.#next().makeUnaryRequest(path, raw, raw, completeRequest(model), this.#metadata, options, (error) => {
        if (error === null) resolve();
        else reject(error);
      });
    });
  }

  stream({ model, keepProviderDeltas, onDelta }: StreamAsk): Promise<StreamAnswer> {
    return new Promise((resolve, reject) => {
      const begin = performance.now();
      let messages = 0;
      let firstDeltaMs = Number.NaN;
      const path = "/dragoman.v1.ChatService/StreamChat";
      const request = streamRequest(model, keepProviderDeltas);
      const call = this.#next().makeServerStreamRequest(path, raw, raw, request, this.#metadata, {
        deadline: Date.now() + deadlineMs,
      });
      call.on("data", (message: Buffer) => {
        if (message[0] !== deltaTag) return;
        if (messages++ === 0) firstDeltaMs = performance.now() - begin;
        onDelta?.(message);
      });
      call.on("end", () => resolve({ messages, firstDeltaMs }));
      call.on("error", reject);
    });
  }

  open(model: string): Promise<() => void> {
    return new Promise((resolve, reject) => {
      const path = "/dragoman.v1.ChatService/StreamChat";
      const request = streamRequest(model, false);
      const call = this.#next().makeServerStreamRequest(path, raw, raw, request, this.#metadata, {});
      call.on("data", (message: Buffer) => {
        if (message[0] === deltaTag) resolve(() => call.cancel());
      });
      call.on("end", () => reject(new Error("the stream ended")));
      call.on("error", reject);
    });
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.close();
  }
}

const requests = new Map<string, Buffer>();

/** Encodes each request only once. */
function remember(key: string, encode: () => Uint8Array): Buffer {
  let request = requests.get(key);
  if (request === undefined) {
    request = Buffer.from(encode());
    requests.set(key, request);
  }
  return request;
}

function completeRequest(model: string): Buffer {
  return remember(model, () =>
    toBinary(CompleteChatRequestSchema, create(CompleteChatRequestSchema, { chat: chat(model) })),
  );
}

/** Returns an encoded StreamChatRequest. */
export function streamRequest(model: string, keepProviderDeltas: boolean): Buffer {
  return remember(`${model} stream ${keepProviderDeltas}`, () =>
    toBinary(
      StreamChatRequestSchema,
      create(StreamChatRequestSchema, { chat: chat(model), options: { keepProviderDeltas } }),
    ),
  );
}
