import { functionsOf } from "../chat/planning/function-tools.ts";
import { GatewayError } from "../errors.ts";
import type { ChatRequest } from "../gen/dragoman/v1/chat_request_pb.js";
import { type Message, type Part, Role } from "../gen/dragoman/v1/message_pb.js";

/** A message in a chat template. It has only these two keys (Scale EGP chat completions API). */
export interface TemplateMessage {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

/** A function tool in a chat template, in the form of OpenAI's API, which Hugging Face's templates expect. */
export interface TemplateTool {
  readonly type: "function";
  readonly function: { readonly name: string; readonly description?: string; readonly parameters: unknown };
}

/** Translates the function tools of a request for a chat template. */
export function templateTools(request: ChatRequest): readonly TemplateTool[] {
  return functionsOf(request).map(({ name, description, parametersJsonSchema }) => ({
    type: "function",
    function: {
      name,
      ...(description !== "" && { description }),
      parameters: parametersJsonSchema === "" ? { type: "object", properties: {} } : JSON.parse(parametersJsonSchema),
    },
  }));
}

/**
 * Translates the messages of a request for a chat template: joins the text parts of each message with line feeds and
 * drops reasoning. Throws UNSUPPORTED_PARAMETER for media, tool calls and tool results.
 */
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
      throw unsupported("tool results");
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
    case "serverToolCall":
    case "serverToolResult":
      throw unsupported("tool calls");
    case "searchResult":
      throw unsupported("search results");
    default:
      return kind satisfies never;
  }
}

function unsupported(what: string): GatewayError {
  return new GatewayError("UNSUPPORTED_PARAMETER", `chat templates do not support ${what}; send text only`);
}
