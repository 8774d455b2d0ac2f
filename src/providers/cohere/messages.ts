import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Media } from "../../gen/dragoman/v1/media_pb.js";
import { type Message, type Part, Role, type ToolResult } from "../../gen/dragoman/v1/message_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { ReasoningEffort } from "../../gen/dragoman/v1/reasoning_pb.js";
import { assistantTurn } from "../chat-completions/assistant-turn.ts";
import { detailWords } from "../chat-completions/media.ts";
import { misplaced, reasoningStart, simplest, textOf, withoutRole } from "../kit/messages.ts";
import { toWireCitation } from "./citations.ts";
import { documentText, searchDocument } from "./documents.ts";
import { planMark } from "./fields.ts";
import type { ImageContent, TextContent, ThinkingContent, ToolContent, WireMessage } from "./wire.ts";

/** Converts messages to Cohere's format: those of the request, without the parts that are `documents`. */
export function toMessages(request: ChatRequest, messages: readonly Message[], model: Model): readonly WireMessage[] {
  const start = reasoningStart(request);
  const thoughts = takesThoughts(request, model) ? "everywhere" : "with calls";
  return messages.flatMap((message, index) => toWireMessages(message, index >= start ? thoughts : "nowhere"));
}

/** Returns whether to send earlier reasoning as thinking: only if the model reasons in this call. vercel/ai#5794 */
export function takesThoughts({ reasoning }: ChatRequest, { capabilities }: Model): boolean {
  const control = reasoning?.control;
  const isOff =
    (control?.case === "effort" && control.value === ReasoningEffort.NONE) ||
    (control?.case === "budgetTokens" && control.value === 0);
  return capabilities?.reasoning !== false && !isOff;
}

/** Assistant messages whose reasoning is sent. `with calls`: only those with tool calls, as their `tool_plan`. */
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
        const content = simplest(kind.value.parts.map(toToolContent));
        return { role: "tool", tool_call_id: kind.value.toolCallId, content };
      });
    case Role.UNSPECIFIED:
      throw withoutRole();
    default:
      return role satisfies never;
  }
}

function assistantMessage(parts: readonly Part[], thoughts: Thoughts): WireMessage {
  const { outputs, calls } = assistantTurn(parts);
  // Send text beside tool calls as `tool_plan`, since Cohere rejects it as content ("text content is not allowed when
  // tool_calls are provided"). vercel/ai#5794
  const callsTools = calls.length > 0;
  const content: (TextContent | ThinkingContent)[] = [];
  let plan = "";
  for (const { kind, state } of outputs) {
    if (kind.case !== "reasoning") {
      if (callsTools) plan += kind.value;
      else content.push({ type: "text", text: kind.value });
    } else if (thoughts !== "nowhere") {
      if (callsTools && (thoughts === "with calls" || isPlan(state))) plan += kind.value.text;
      else if (thoughts === "everywhere") content.push({ type: "thinking", thinking: kind.value.text });
    }
  }
  const citations = parts.flatMap((part) => part.citations.map(toWireCitation)).filter((one) => one !== undefined);
  return {
    role: "assistant",
    ...(citations.length > 0 && { citations }),
    ...((content.length > 0 || !callsTools) && { content: simplest(content) }),
    ...(callsTools && { tool_calls: calls }),
    ...(plan && { tool_plan: plan }),
  };
}

function isPlan(state: Part["providerState"]): boolean {
  return state !== undefined && Buffer.from(state.data).toString() === planMark;
}

function toToolContent({ kind }: ToolResult["parts"][number]): ToolContent {
  if (kind.case === "searchResult") return { type: "document", document: searchDocument(kind.value) };
  return toText(kind, "tool result");
}

function toUserContent(part: Part, place: number): TextContent | ImageContent {
  const { kind } = part;
  const text = documentText(part, place);
  if (text !== undefined) return { type: "text", text };
  return kind.case === "media" ? toImage(kind.value) : toText(kind, "user");
}

function toImage({ source, mediaType, detail }: Media): ImageContent {
  const url =
    source.case === "data"
      ? `data:${mediaType};base64,${Buffer.from(source.value).toString("base64")}`
      : (source.value ?? "");
  const wireDetail = detailWords[detail];
  return { type: "image_url", image_url: { url, ...(wireDetail && { detail: wireDetail }) } };
}

function toText(kind: Parameters<typeof textOf>[0], place: string): TextContent {
  return { type: "text", text: textOf(kind, place) };
}
