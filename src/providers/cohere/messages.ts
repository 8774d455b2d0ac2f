import { invalidRequest } from "../../errors.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import { type Media, MediaDetail, type Message, type Part, Role } from "../../gen/dragoman/v1/message_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { ReasoningEffort } from "../../gen/dragoman/v1/reasoning_pb.js";
import { planMark } from "./fields.ts";
import type { ImageContent, TextContent, ThinkingContent, WireMessage, WireToolCall } from "./wire.ts";

/** The conversation in the dialect. */
export function toMessages(request: ChatRequest, model: Model): readonly WireMessage[] {
  const { messages, reasoning } = request;
  const lastUser = messages.findLastIndex(({ role }) => role === Role.USER);
  const clearBefore = reasoning?.clearEarlierReasoning === true ? lastUser : 0;
  const thoughts = takesThoughts(request, model) ? "everywhere" : "with calls";
  return messages.flatMap((message, index) => toWireMessages(message, index >= clearBefore ? thoughts : "nowhere"));
}

/** Whether earlier thoughts may go back as such: only to a model that thinks, while it does. vercel/ai#5794 */
export function takesThoughts({ reasoning }: ChatRequest, { capabilities }: Model): boolean {
  const control = reasoning?.control;
  const isOff =
    (control?.case === "effort" && control.value === ReasoningEffort.NONE) ||
    (control?.case === "budgetTokens" && control.value === 0);
  return capabilities?.reasoning !== false && !isOff;
}

/** On which messages of the assistant thoughts are sent. With calls they can go out as the plan. */
type Thoughts = "everywhere" | "with calls" | "nowhere";

function toWireMessages({ role, parts }: Message, thoughts: Thoughts): readonly WireMessage[] {
  switch (role) {
    case Role.SYSTEM:
    case Role.DEVELOPER:
      return [{ role: "system", content: simplest(parts.map(({ kind }) => toText(kind, "system"))) }];
    case Role.USER:
      return [{ role: "user", content: simplest(parts.map(toUserContent)) }];
    case Role.ASSISTANT:
      return [assistantMessage(parts, thoughts)];
    case Role.TOOL:
      return parts.map(({ kind }) => {
        if (kind.case !== "toolResult") throw misplaced("tool", kind.case);
        const content = simplest(kind.value.parts.map((part) => toText(part.kind, "tool result")));
        return { role: "tool", tool_call_id: kind.value.toolCallId, content };
      });
    case Role.UNSPECIFIED:
      throw invalidRequest([{ field: "chat.messages", description: "each must have a role" }]);
    default:
      return role satisfies never;
  }
}

function assistantMessage(parts: readonly Part[], thoughts: Thoughts): WireMessage {
  const content: (TextContent | ThinkingContent)[] = [];
  const calls: WireToolCall[] = [];
  let plan = "";
  // "text content is not allowed when tool_calls are provided": it goes out as the plan. vercel/ai#5794
  const callsTools = parts.some(({ kind }) => kind.case === "toolCall");
  for (const { kind, providerState } of parts) {
    switch (kind.case) {
      case "text":
      case "refusal":
        if (callsTools) plan += kind.value;
        else content.push({ type: "text", text: kind.value });
        break;
      case "reasoning":
        if (thoughts === "nowhere") break;
        if (callsTools && (thoughts === "with calls" || isPlan(providerState))) plan += kind.value.text;
        else if (thoughts === "everywhere") content.push({ type: "thinking", thinking: kind.value.text });
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
    ...((content.length > 0 || !callsTools) && { content: simplest(content) }),
    ...(callsTools && { tool_calls: calls }),
    ...(plan && { tool_plan: plan }),
  };
}

function isPlan(state: Part["providerState"]): boolean {
  return state !== undefined && Buffer.from(state.data).toString() === planMark;
}

function toUserContent({ kind }: Part): TextContent | ImageContent {
  return kind.case === "media" ? toImage(kind.value) : toText(kind, "user");
}

const details = {
  [MediaDetail.UNSPECIFIED]: undefined,
  [MediaDetail.AUTO]: "auto",
  [MediaDetail.LOW]: "low",
  [MediaDetail.HIGH]: "high",
} as const satisfies Record<MediaDetail, string | undefined>;

function toImage({ source, mediaType, detail }: Media): ImageContent {
  const url =
    source.case === "data"
      ? `data:${mediaType};base64,${Buffer.from(source.value).toString("base64")}`
      : (source.value ?? "");
  const wireDetail = details[detail];
  return { type: "image_url", image_url: { url, ...(wireDetail && { detail: wireDetail }) } };
}

function toText(kind: { readonly case?: string | undefined; readonly value?: unknown }, place: string): TextContent {
  if (kind.case === "text" && typeof kind.value === "string") return { type: "text", text: kind.value };
  throw misplaced(place, kind.case);
}

/** One text as a string, anything else as parts. */
function simplest<Content extends TextContent | ImageContent | ThinkingContent>(
  parts: readonly Content[],
): string | readonly Content[] {
  const [first] = parts;
  if (first === undefined) return "";
  return parts.length === 1 && first.type === "text" ? first.text : parts;
}

function misplaced(place: string, what: string | undefined) {
  return invalidRequest([
    { field: "chat.messages", description: `a ${place} message cannot hold ${what ?? "an empty part"}` },
  ]);
}
