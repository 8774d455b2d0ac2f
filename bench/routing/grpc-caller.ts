import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type CallOptions, Client, credentials, type ServiceError, status } from "@grpc/grpc-js";
import { ChatRequestSchema } from "../../src/gen/dragoman/v1/chat_request_pb.js";
import {
  CompleteChatRequestSchema,
  CompleteChatResponseSchema,
  StreamChatRequestSchema,
  StreamChatResponseSchema,
} from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { FinishReason } from "../../src/gen/dragoman/v1/completion_pb.js";
import { Role } from "../../src/gen/dragoman/v1/message_pb.js";
import { type Caller, type CallerRequest, type CallerResult, Receipt } from "./callers.ts";

function raw(bytes: Buffer): Buffer {
  return bytes;
}

function wordOf(reason: FinishReason): string {
  return FinishReason[reason].toLowerCase();
}

function chatOf({ model, prompt }: CallerRequest) {
  const text = { kind: { case: "text", value: prompt } } as const;
  return create(ChatRequestSchema, { model, messages: [{ role: Role.USER, parts: [text] }] });
}

/** Calls Dragoman over gRPC, with the caller's deadline as the deadline of the call. */
export class GrpcChatCaller implements Caller {
  readonly #client: Client;

  constructor(port: number) {
    this.#client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  }

  async call(request: CallerRequest): Promise<CallerResult> {
    const receipt = new Receipt();
    const options = { deadline: Date.now() + request.deadlineMs };
    let left = false;
    await new Promise<void>((resolve) => {
      const done = (error: ServiceError | null): void => {
        clearTimeout(timer);
        if (error !== null) receipt.error = status[error.code];
        left ||= error?.code === status.DEADLINE_EXCEEDED;
        resolve();
      };
      const call =
        request.mode === "unary"
          ? this.#complete(request, options, receipt, done)
          : this.#stream(request, options, receipt, done);
      const timer = setTimeout(
        () => {
          left = true;
          call.cancel();
        },
        request.leaveAfterMs ?? request.deadlineMs + 1000,
      );
    });
    return receipt.result(left);
  }

  #complete(
    request: CallerRequest,
    options: CallOptions,
    receipt: Receipt,
    done: (error: ServiceError | null) => void,
  ) {
    const bytes = Buffer.from(
      toBinary(CompleteChatRequestSchema, create(CompleteChatRequestSchema, { chat: chatOf(request) })),
    );
    const path = "/dragoman.v1.ChatService/CompleteChat";
    return this.#client.makeUnaryRequest(path, raw, raw, bytes, options, (error, response) => {
      const choice = response && fromBinary(CompleteChatResponseSchema, response).completion?.choices[0];
      for (const { kind } of choice?.message?.parts ?? []) if (kind.case === "text") receipt.addText(kind.value);
      if (choice) receipt.finishReason = wordOf(choice.finishReason);
      done(error);
    });
  }

  #stream(request: CallerRequest, options: CallOptions, receipt: Receipt, done: (error: ServiceError | null) => void) {
    const bytes = Buffer.from(
      toBinary(StreamChatRequestSchema, create(StreamChatRequestSchema, { chat: chatOf(request) })),
    );
    const call = this.#client.makeServerStreamRequest("/dragoman.v1.ChatService/StreamChat", raw, raw, bytes, options);
    call.on("data", (message: Buffer) => {
      const { event } = fromBinary(StreamChatResponseSchema, message);
      if (event.case === "delta" && event.value.delta.case === "text") receipt.addText(event.value.delta.value);
      else if (event.case === "finished") receipt.finishReason = wordOf(event.value.finishReason);
    });
    call.on("end", () => done(null));
    call.on("error", (error: ServiceError) => done(error));
    return call;
  }

  close(): void {
    this.#client.close();
  }
}
