import { type GatewayError, invalidRequest } from "../../errors.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import { type Part, Role } from "../../gen/dragoman/v1/message_pb.js";

/** Stands for JSON mode where an API has none. */
export const jsonInstruction =
  "Answer with one JSON object and nothing else: no code fence, no words before or after it.";

/** The first message whose reasoning goes back to the model. */
export function reasoningStart({ messages, reasoning }: ChatRequest): number {
  return reasoning?.clearEarlierReasoning === true ? messages.findLastIndex(({ role }) => role === Role.USER) : 0;
}

/** A part in a message that cannot hold it. */
export function misplaced(place: string, kind: Part["kind"]["case"]): GatewayError {
  return invalidRequest([
    { field: ["messages"], description: `a ${place} message cannot hold ${kind ?? "an empty part"}` },
  ]);
}

/** The role where there are two beside the system, and results of tools are the user's. */
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

export function withoutRole(): GatewayError {
  return invalidRequest([{ field: ["messages"], description: "every message must have a role" }]);
}

/** The text of a part in a place that takes nothing else. */
export function textOf(
  kind: { readonly case?: Part["kind"]["case"]; readonly value?: unknown },
  place: string,
): string {
  if (kind.case === "text" && typeof kind.value === "string") return kind.value;
  throw misplaced(place, kind.case);
}

/** One text as a string, which every server takes; anything else as parts. */
export function simplest<Content extends { readonly type: string }>(
  parts: readonly Content[],
): string | readonly Content[] {
  const [first] = parts;
  if (first === undefined) return "";
  const isText = parts.length === 1 && "text" in first && typeof first.text === "string";
  return isText ? String(first.text) : parts;
}
