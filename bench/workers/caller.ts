import { create, toBinary } from "@bufbuild/protobuf";
import { Client, credentials } from "@grpc/grpc-js";
import type { ChatRequest } from "../../src/gen/dragoman/v1/chat_request_pb.js";
import { ChatService } from "../../src/gen/dragoman/v1/chat_service_pb.js";

const { input, name, parent } = ChatService.method.completeChat;
const path = `/${parent.typeName}/${name}`;
const raw = (bytes: Buffer): Buffer => bytes;

/** Sends one request over several connections in turn. Does not decode responses. */
export class GrpcEchoCaller {
  readonly #clients: readonly Client[];
  readonly #body: Buffer;
  #turn = 0;

  constructor(address: string, connections: number, chat: ChatRequest) {
    this.#body = Buffer.from(toBinary(input, create(input, { chat })));
    this.#clients = Array.from(
      { length: connections },
      () => new Client(address, credentials.createInsecure(), { "grpc.use_local_subchannel_pool": 1 }),
    );
  }

  /** Opens all connections. */
  async warmUp(): Promise<void> {
    await Promise.all(this.#clients.map(() => this.#call()));
  }

  async run(calls: number, concurrency: number): Promise<void> {
    let next = 0;
    const callers = Array.from({ length: concurrency }, async () => {
      while (next++ < calls) await this.#call();
    });
    await Promise.all(callers);
  }

  close(): void {
    for (const client of this.#clients) client.close();
  }

  #call(): Promise<void> {
    const client = this.#clients[this.#turn++ % this.#clients.length];
    return new Promise((resolve, reject) => {
      client?.makeUnaryRequest(path, raw, raw, this.#body, (error) => (error === null ? resolve() : reject(error)));
    });
  }
}
