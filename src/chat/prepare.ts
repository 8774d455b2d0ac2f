import { create } from "@bufbuild/protobuf";
import type { ChatRequest } from "../gen/dragoman/v1/chat_request_pb.js";
import { type Message, MessageSchema, Role } from "../gen/dragoman/v1/message_pb.js";
import type { Model } from "../gen/dragoman/v1/model_pb.js";
import type { Limitation } from "./limitations.ts";
import { keepLast } from "./memory.ts";

/** The request with its messages as they will go out: instructions placed, memory applied, foreign state left out. */
export function prepareMessages(chat: ChatRequest, model: Model): ChatRequest {
  const kept =
    chat.memoryStrategy?.strategy.case === "lastK"
      ? keepLast(chat.messages, chat.memoryStrategy.strategy.value.k)
      : chat.messages;
  const own = kept.map((message) => withoutForeignState(message, model));
  const messages = chat.instructions ? [instructionsMessage(chat.instructions), ...own] : own;
  return { ...chat, messages };
}

function instructionsMessage(text: string): Message {
  return create(MessageSchema, { role: Role.SYSTEM, parts: [{ kind: { case: "text", value: text } }] });
}

/** State is valid only for the provider and model that made it. */
function withoutForeignState(message: Message, model: Model): Message {
  const isForeign = ({ providerState }: Message["parts"][number]) =>
    providerState !== undefined &&
    (providerState.provider !== model.provider ||
      (providerState.model !== "" && providerState.model !== model.providerModel));
  if (!message.parts.some(isForeign)) return message;
  const parts = message.parts.map((part) => {
    if (!isForeign(part)) return part;
    const { providerState, ...rest } = part;
    return rest;
  });
  return { ...message, parts };
}

/** What no provider can do of the request, whichever answers. */
export function commonLimitations(chat: ChatRequest): readonly Limitation[] {
  const limitations: Limitation[] = [];
  if (chat.deploymentParameters !== undefined && !chat.model.startsWith("deployments/")) {
    limitations.push({
      kind: "REFUSED",
      field: "deployment_parameters",
      message: "deployment_parameters are only for models named deployments/<id>",
    });
  }
  if (chat.memoryStrategy?.strategy.case === "autoTrim") {
    limitations.push({
      kind: "UNSUPPORTED_PARAMETER",
      field: "memory_strategy",
      message: "auto_trim is not available for this model; everything was sent",
    });
  }
  return limitations;
}
