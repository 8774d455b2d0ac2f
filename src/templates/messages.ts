import { GatewayError } from "../errors.ts";
import type { ChatRequest } from "../gen/dragoman/v1/chat_request_pb.js";
import { type Message, type Part, Role } from "../gen/dragoman/v1/message_pb.js";

/** What a chat template sees of a message: these two keys and no other (seeds 000 and 001). */
export interface TemplateMessage {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

/** The messages as templates see them. Earlier reasoning is left out, and the parts of a message are lines. */
export function templateMessages({ messages }: ChatRequest): readonly TemplateMessage[] {
  return messages.map((message) => ({
    role: templateRole(message),
    content: message.parts.flatMap(textOf).join("\n"),
  }));
}

function templateRole({ role }: Message): TemplateMessage["role"] {
  switch (role) {
    case Role.SYSTEM:
    case Role.DEVELOPER:
      return "system";
    case Role.USER:
      return "user";
    case Role.ASSISTANT:
      return "assistant";
    case Role.TOOL:
    case Role.UNSPECIFIED:
      throw unsupported("results of tools");
    default:
      return role satisfies never;
  }
}

function textOf({ kind }: Part): readonly string[] {
  switch (kind.case) {
    case "text":
    case "refusal":
      return [kind.value];
    case "reasoning":
    case undefined:
      return [];
    case "media":
      throw unsupported("media");
    case "toolCall":
    case "toolResult":
      throw unsupported("tool calls");
    default:
      return kind satisfies never;
  }
}

function unsupported(what: string): GatewayError {
  return new GatewayError("UNSUPPORTED_PARAMETER", `a chat template shows the model no ${what}; send text only`);
}
