import { invalidRequest } from "../../errors.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import { type Message, type Part, Role, type ToolResult } from "../../gen/dragoman/v1/message_pb.js";
import { toMediaPart } from "./media.ts";
import type { Quirks } from "./quirks.ts";
import { decodeDetails, type ReasoningDetail } from "./reasoning-details.ts";
import type { ContentPart, WireAssistant, WireMessage, WireToolCall } from "./wire.ts";

/** The conversation in the dialect. Reasoning models take system text as developer messages. */
export function toMessages(request: ChatRequest, quirks: Quirks, isReasoningModel: boolean): readonly WireMessage[] {
  const lastUser = request.messages.findLastIndex(({ role }) => role === Role.USER);
  const clearBefore = request.reasoning?.clearEarlierReasoning === true ? lastUser : 0;
  return request.messages.flatMap((message, index) => {
    switch (message.role) {
      case Role.SYSTEM:
        return plainMessage(isReasoningModel && quirks.developerRole ? "developer" : "system", message);
      case Role.DEVELOPER:
        return plainMessage(quirks.developerRole ? "developer" : "system", message);
      case Role.USER:
        return plainMessage("user", message);
      case Role.ASSISTANT:
        return assistantMessage(message, quirks, index >= clearBefore);
      case Role.TOOL:
        return message.parts.map(({ kind }) => {
          if (kind.case !== "toolResult") throw misplaced("tool", kind.case);
          return toolMessage(kind.value);
        });
      case Role.UNSPECIFIED:
        throw invalidRequest([{ field: `chat.messages[${index}].role`, description: "must be set" }]);
      default:
        return message.role satisfies never;
    }
  });
}

function plainMessage(role: "system" | "developer" | "user", { parts, name }: Message): WireMessage {
  const content = parts.map(({ kind }): ContentPart => {
    if (kind.case === "text") return { type: "text", text: kind.value };
    if (kind.case === "media") return toMediaPart(kind.value);
    throw misplaced(role, kind.case);
  });
  return { role, content: simplest(content), ...(name && { name }) };
}

function assistantMessage({ parts, name }: Message, quirks: Quirks, withReasoning: boolean): WireMessage {
  const content: ContentPart[] = [];
  const calls: WireToolCall[] = [];
  let refusal = "";
  let reasoning = "";
  const details: ReasoningDetail[] = [];
  for (const { kind, providerState } of parts) {
    switch (kind.case) {
      case "text":
        content.push({ type: "text", text: kind.value });
        break;
      case "refusal":
        if (quirks.refusals) refusal += kind.value;
        else content.push({ type: "text", text: kind.value });
        break;
      case "reasoning":
        reasoning += kind.value.text;
        if (providerState && quirks.reasoningReplay === "reasoning_details") {
          details.push(...decodeDetails(providerState.data));
        }
        break;
      case "toolCall": {
        const { id, name, argumentsJson } = kind.value;
        calls.push({ id, type: "function", function: { name, arguments: argumentsJson || "{}" } });
        break;
      }
      case "media":
      case "toolResult":
      case undefined:
        throw misplaced("assistant", kind.case);
      default:
        kind satisfies never;
    }
  }
  return {
    role: "assistant",
    content: content.length === 0 ? null : simplest(content),
    ...(name && { name }),
    ...(refusal && { refusal }),
    ...replay(quirks, reasoning, details, calls.length > 0, withReasoning),
    ...(calls.length > 0 && { tool_calls: calls }),
  };
}

/** The fields that send reasoning back. */
function replay(
  { reasoningReplay }: Quirks,
  reasoning: string,
  details: readonly ReasoningDetail[],
  callsTools: boolean,
  withReasoning: boolean,
): Pick<WireAssistant, "reasoning" | "reasoning_content" | "reasoning_details"> {
  switch (reasoningReplay) {
    case undefined:
      return {};
    case "reasoning":
    case "reasoning_content":
      return withReasoning && reasoning !== "" ? { [reasoningReplay]: reasoning } : {};
    case "reasoning_content with calls":
      return callsTools ? { reasoning_content: reasoning } : {};
    case "reasoning_details":
      if (!withReasoning && !callsTools) return {};
      if (details.length > 0) return { reasoning_details: details };
      return reasoning === "" ? {} : { reasoning };
    default:
      return reasoningReplay satisfies never;
  }
}

function toolMessage({ toolCallId, parts }: ToolResult): WireMessage {
  const content = parts.map(({ kind }): ContentPart => {
    if (kind.case === "text") return { type: "text", text: kind.value };
    throw misplaced("tool result", kind.case);
  });
  return { role: "tool", tool_call_id: toolCallId, content: simplest(content) };
}

/** One text as a string, which every server takes; anything else as parts. */
function simplest(parts: readonly ContentPart[]): string | readonly ContentPart[] {
  const [first] = parts;
  if (first === undefined) return "";
  return parts.length === 1 && first.type === "text" ? first.text : parts;
}

function misplaced(place: string, kind: Part["kind"]["case"]) {
  return invalidRequest([
    { field: "chat.messages", description: `a ${place} message cannot hold ${kind ?? "an empty part"}` },
  ]);
}
