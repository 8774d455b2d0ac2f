import { append } from "../../append.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import { type Message, type Part, Role, type ToolResult } from "../../gen/dragoman/v1/message_pb.js";
import { misplaced, reasoningStart, simplest, textOf, withoutRole } from "../kit/messages.ts";
import { assistantTurn } from "./assistant-turn.ts";
import { toMediaPart } from "./media.ts";
import type { Quirks } from "./quirks.ts";
import { decodeDetails, type ReasoningDetail } from "./reasoning-details.ts";
import { replayedMedia, toAnnotations } from "./replay-output.ts";
import type { ContentPart, WireAssistant, WireMessage } from "./wire.ts";

/** Converts the messages to the wire format. OpenAI's reasoning models get system messages as developer messages. */
export function toMessages(request: ChatRequest, quirks: Quirks, isReasoningModel: boolean): readonly WireMessage[] {
  const start = reasoningStart(request);
  return request.messages.flatMap((message, index) => {
    const wire = toWire(message, index);
    return quirks.cacheMarks && message.parts.some(isMarked) ? wire.map((one) => ({ ...one, ...cacheMark })) : wire;
  });

  function toWire(message: Message, index: number): readonly WireMessage[] {
    switch (message.role) {
      case Role.SYSTEM:
        return [plainMessage(isReasoningModel && quirks.developerRole ? "developer" : "system", message)];
      case Role.DEVELOPER:
        return [plainMessage(quirks.developerRole ? "developer" : "system", message)];
      case Role.USER:
        return [plainMessage("user", message)];
      case Role.ASSISTANT:
        return [withContent(assistantMessage(message, quirks, index >= start), quirks)];
      case Role.TOOL:
        return message.parts.map(({ kind }) => {
          if (kind.case !== "toolResult") throw misplaced("tool", kind.case);
          return toolMessage(kind.value);
        });
      case Role.UNSPECIFIED:
        throw withoutRole();
      default:
        return message.role satisfies never;
    }
  }
}

/** Prompt cache breakpoint. DeepInfra supports only this type, without a time to live. */
export const cacheMark = { cache_control: { type: "ephemeral" } } as const;

function isMarked({ cacheHint }: Part): boolean {
  return cacheHint !== undefined;
}

function plainMessage(role: "system" | "developer" | "user", { parts, name }: Message): WireMessage {
  const content = parts.map(({ kind }): ContentPart => {
    if (kind.case === "media") return toMediaPart(kind.value);
    return { type: "text", text: textOf(kind, role) };
  });
  return { role, content: simplest(content), ...(name && { name }) };
}

/**
 * Returns an assistant message with the content that servers require beside anything but calls, a refusal or audio. A
 * turn of reasoning only has an empty text: without the turn, two user messages would follow each other.
 */
function withContent(message: WireAssistant, { reasoningReplay }: Quirks): WireAssistant {
  const { role, name, content, reasoning, reasoning_content, reasoning_details, ...others } = message;
  const hasReasoning = (reasoning ?? reasoning_details) !== undefined;
  // OpenRouter accepts null beside reasoning, but not all models behind it accept an empty text.
  const mayBeNull = Object.keys(others).length > 0 || (hasReasoning && reasoningReplay === "reasoning_details");
  return content !== null || mayBeNull ? message : { ...message, content: "" };
}

function assistantMessage({ parts, name }: Message, quirks: Quirks, withReasoning: boolean): WireAssistant {
  const media = parts.flatMap((part) => replayedMedia(part, quirks) ?? []);
  const { outputs, calls } = assistantTurn(parts.filter(({ kind }) => kind.case !== "media"));
  const content = media.flatMap((sent): ContentPart[] => ("text" in sent ? [{ type: "text", text: sent.text }] : []));
  const annotations: object[] = [];
  let characters = 0;
  let refusal = "";
  let reasoning = "";
  const details: ReasoningDetail[] = [];
  for (const { kind, citations, state } of outputs) {
    if (kind.case === "reasoning") {
      reasoning += kind.value.text;
      if (state && quirks.reasoningReplay === "reasoning_details") append(details, decodeDetails(state.data));
    } else if (kind.case === "refusal" && quirks.refusals) {
      refusal += kind.value;
    } else {
      content.push({ type: "text", text: kind.value });
      if (!quirks.annotations) continue;
      if (citations.length > 0) append(annotations, toAnnotations(kind.value, citations, characters));
      characters += Array.from(kind.value).length;
    }
  }
  return {
    role: "assistant",
    content: content.length === 0 ? null : simplest(content),
    ...(name && { name }),
    ...(refusal && { refusal }),
    ...replay(quirks, reasoning, details, calls.length > 0, withReasoning),
    ...sentMedia(media),
    ...(annotations.length > 0 && { annotations }),
    ...(calls.length > 0 && { tool_calls: calls }),
  };
}

/** A message refers to at most one audio. */
function sentMedia(
  media: readonly NonNullable<ReturnType<typeof replayedMedia>>[],
): Pick<WireAssistant, "audio" | "images"> {
  const audio = media.find((sent) => "audio" in sent);
  const images = media.flatMap((sent) => ("image" in sent ? [sent.image] : []));
  return { ...(audio && { audio: audio.audio }), ...(images.length > 0 && { images }) };
}

/** Returns the fields of an assistant message that send its reasoning back, as `Quirks.reasoningReplay` states. */
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
    case "reasoning_content also with calls":
      return callsTools || (withReasoning && reasoning !== "") ? { reasoning_content: reasoning } : {};
    case "reasoning_details":
      if (!withReasoning && !callsTools) return {};
      if (details.length > 0) return { reasoning_details: details };
      return reasoning === "" ? {} : { reasoning };
    default:
      return reasoningReplay satisfies never;
  }
}

function toolMessage({ toolCallId, parts }: ToolResult): WireMessage {
  const content = parts.map(({ kind }): ContentPart => ({ type: "text", text: textOf(kind, "tool result") }));
  return { role: "tool", tool_call_id: toolCallId, content: simplest(content) };
}
