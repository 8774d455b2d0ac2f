import { type GatewayError, invalidRequest } from "../../errors.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import { type Part, Role, type ToolResultPart } from "../../gen/dragoman/v1/message_pb.js";

/** Instruction to the model that replaces JSON mode, for APIs without it. */
export const jsonInstruction =
  "Answer with one JSON object and nothing else: no code fence, no words before or after it.";

/**
 * Returns the index of the first message whose reasoning Dragoman sends back to the model: 0, or that of the last user
 * message if the request sets `clear_earlier_reasoning`.
 */
export function reasoningStart({ messages, reasoning }: ChatRequest): number {
  return reasoning?.clearEarlierReasoning === true ? messages.findLastIndex(({ role }) => role === Role.USER) : 0;
}

/** Kind of a part of a message or of a tool result. */
type PartKind = Part["kind"]["case"] | ToolResultPart["kind"]["case"];

/** Returns the error for a part that is not allowed in its message. */
export function misplaced(place: string, kind: PartKind): GatewayError {
  return invalidRequest([
    {
      field: ["messages"],
      description: `a ${place} message cannot contain ${kind ? protoName(kind) : "an empty part"}`,
    },
  ]);
}

/** Returns the name of a field in the proto. */
function protoName(localName: string): string {
  return localName.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Maps a role for APIs with only system, user and assistant roles, where tool results are in user messages. */
export function turnRole(role: Role): "system" | "user" | "assistant" {
  switch (role) {
    case Role.SYSTEM:
    case Role.DEVELOPER:
      return "system";
    case Role.USER:
    case Role.TOOL:
      return "user";
    case Role.ASSISTANT:
      return "assistant";
    case Role.UNSPECIFIED:
      throw withoutRole();
    default:
      return role satisfies never;
  }
}

/** Returns the error for a message without a role. */
export function withoutRole(): GatewayError {
  return invalidRequest([{ field: ["messages"], description: "every message must have a role" }]);
}

/** Returns the text of a part. Throws INVALID_REQUEST for any other part; `place` names the message in that error. */
export function textOf(kind: { readonly case?: PartKind; readonly value?: unknown }, place: string): string {
  if (kind.case === "text" && typeof kind.value === "string") return kind.value;
  throw misplaced(place, kind.case);
}

/** Returns message content: a single text as a string, which every server supports, and several parts as a list. */
export function simplest<Content extends { readonly type: string }>(
  parts: readonly Content[],
): string | readonly Content[] {
  const [first] = parts;
  if (first === undefined) return "";
  const isText = parts.length === 1 && "text" in first && typeof first.text === "string" && !("cache_control" in first);
  return isText ? String(first.text) : parts;
}
