import { create, type JsonObject, type MessageInitShape } from "@bufbuild/protobuf";
import { type ChatRequest, ChatRequestSchema } from "../../src/gen/dragoman/v1/chat_request_pb.js";
import { Role } from "../../src/gen/dragoman/v1/message_pb.js";

type Init = Exclude<MessageInitShape<typeof ChatRequestSchema>, ChatRequest>;

/** Creates a request with one user message. */
export function ask(model: string, text: string, more: Init = {}): ChatRequest {
  const messages = [{ role: Role.USER, parts: [{ kind: { case: "text", value: text } as const }] }];
  return create(ChatRequestSchema, { model, messages, ...more });
}

/** Creates a request to the provider `echo`, which plays `script`. */
export function scriptEcho(script: JsonObject, more: Init = {}): ChatRequest {
  return ask("echo/echo", "say it", { providerOptions: { echo: script }, ...more });
}
