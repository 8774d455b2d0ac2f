import { create } from "@bufbuild/protobuf";
import type { ChatRequest } from "../gen/dragoman/v1/chat_request_pb.js";
import { type Usage, UsageQuality, UsageSchema } from "../gen/dragoman/v1/usage_pb.js";

/** Characters per token of English text in today's tokenizers, about. Only for estimates that are marked as such. */
const charactersPerToken = 4;

/** Usage from the sizes of what was sent and received, for when the provider's own count is missing. */
export function estimateUsage(chat: ChatRequest, outputCharacters: number, quality: UsageQuality): Usage {
  const inputTokens = Math.ceil(inputCharacters(chat) / charactersPerToken);
  const outputTokens = Math.ceil(outputCharacters / charactersPerToken);
  return create(UsageSchema, { inputTokens, outputTokens, totalTokens: inputTokens + outputTokens, quality });
}

/** The usage as it is known when a call ends early. */
export function partialUsage(chat: ChatRequest, outputCharacters: number): Usage {
  return estimateUsage(chat, outputCharacters, UsageQuality.PARTIAL);
}

function inputCharacters(chat: ChatRequest): number {
  let characters = 0;
  for (const { parts } of chat.messages) {
    for (const { kind } of parts) {
      switch (kind.case) {
        case "text":
        case "refusal":
          characters += kind.value.length;
          break;
        case "reasoning":
          characters += kind.value.text.length;
          break;
        case "toolCall":
          characters += kind.value.name.length + kind.value.argumentsJson.length;
          break;
        case "toolResult":
          for (const part of kind.value.parts) if (part.kind.case === "text") characters += part.kind.value.length;
          break;
        case "media":
        case undefined:
          break;
        default:
          kind satisfies never;
      }
    }
  }
  for (const tool of chat.tools) {
    characters += tool.name.length + tool.description.length + tool.parametersJsonSchema.length;
  }
  return characters;
}
