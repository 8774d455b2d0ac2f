import { mediaKind } from "../../chat/planning/media-kind.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Citation } from "../../gen/dragoman/v1/citation_pb.js";
import type { Media } from "../../gen/dragoman/v1/media_pb.js";
import { type Message, type Part, Role } from "../../gen/dragoman/v1/message_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { assistantTurn } from "../chat-completions/assistant-turn.ts";
import { detailWords } from "../chat-completions/media.ts";
import { misplaced, reasoningStart, simplest, textOf, withoutRole } from "../kit/messages.ts";
import { withBridges } from "../kit/mistral.ts";
import { referenceOf } from "./extras.ts";
import type { ContentChunk, WireMessage } from "./wire.ts";

/** Converts the messages to Mistral's format. */
export function toMessages(request: ChatRequest, model: Model): readonly WireMessage[] {
  const keepsReasoning = reasoningFilter(request, model);
  const messages = request.messages.flatMap((message, index) => toWireMessages(message, keepsReasoning(index)));
  const sent: WireMessage[] = [...withBridges(messages)];
  // Mistral rejects an assistant message at the end, unless `prefix` is set: then the response continues the message.
  const last = sent.at(-1);
  if (last?.role === "assistant" && last.tool_calls === undefined) sent.splice(-1, 1, { ...last, prefix: true });
  return sent;
}

/** Returns the text of an assistant message at the end, which the response repeats and continues; else empty text. */
export function continuedText({ messages }: ChatRequest): string {
  const last = messages.at(-1);
  if (last?.role !== Role.ASSISTANT || last.parts.some(({ kind }) => kind.case === "toolCall")) return "";
  return last.parts.map(({ kind }) => (kind.case === "text" || kind.case === "refusal" ? kind.value : "")).join("");
}

/**
 * Returns a function that returns whether to send the reasoning of the message with a given index. Models that do not
 * reason reject it.
 */
export function reasoningFilter(request: ChatRequest, model: Model): (index: number) => boolean {
  if (model.capabilities?.reasoning === false) return () => false;
  const start = reasoningStart(request);
  return (index) => index >= start;
}

function toWireMessages({ role, parts }: Message, withReasoning: boolean): readonly WireMessage[] {
  switch (role) {
    case Role.SYSTEM:
    case Role.DEVELOPER:
      return [{ role: "system", content: parts.map((part) => textOf(part.kind, "system")).join("\n") }];
    case Role.USER:
      return [{ role: "user", content: simplest(parts.map(toChunk)) }];
    case Role.ASSISTANT:
      return [assistantMessage(parts, withReasoning)];
    case Role.TOOL:
      return parts.map(({ kind }) => {
        if (kind.case !== "toolResult") throw misplaced("tool", kind.case);
        const content = kind.value.parts.map((part) => textOf(part.kind, "tool result")).join("\n");
        return { role: "tool", tool_call_id: kind.value.toolCallId, content };
      });
    case Role.UNSPECIFIED:
      throw withoutRole();
    default:
      return role satisfies never;
  }
}

function assistantMessage(parts: readonly Part[], withReasoning: boolean): WireMessage {
  const { outputs, calls } = assistantTurn(parts);
  const content = outputs.flatMap(({ kind, citations, state }): readonly ContentChunk[] => {
    if (kind.case !== "reasoning") return withReferences(kind.value, citations);
    if (!withReasoning) return [];
    const signature = state && Buffer.from(state.data).toString();
    const thinking = [{ type: "text" as const, text: kind.value.text }];
    return [{ type: "thinking", thinking, ...(signature && { signature }), closed: true }];
  });
  return { role: "assistant", content: simplest(content), ...(calls.length > 0 && { tool_calls: calls }) };
}

/** Divides a text at the places of its references, as Mistral sent it. */
function withReferences(text: string, citations: readonly Citation[]): readonly ContentChunk[] {
  const placed = citations.flatMap((citation) => {
    const chunk = referenceOf(citation);
    return chunk === undefined ? [] : [{ at: citation.start ?? 0, chunk }];
  });
  if (placed.length === 0) return [{ type: "text", text }];
  const bytes = Buffer.from(text);
  const chunks: ContentChunk[] = [];
  let from = 0;
  const writeTo = (end: number) => {
    if (end > from) chunks.push({ type: "text", text: bytes.toString("utf8", from, end) });
    from = Math.max(from, end);
  };
  for (const { at, chunk } of placed.sort((one, other) => one.at - other.at)) {
    writeTo(characterStart(bytes, at));
    chunks.push(chunk);
  }
  writeTo(bytes.length);
  return chunks;
}

/** Returns the start of the character at a byte: the caller can have changed text or place. */
function characterStart(bytes: Buffer, at: number): number {
  let start = Math.min(at, bytes.length);
  while (start > 0 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start--;
  return start;
}

function toChunk({ kind }: Part): ContentChunk {
  return kind.case === "media" ? mediaChunk(kind.value) : { type: "text", text: textOf(kind, "user") };
}

/** Converts media to a content chunk. `checkSupport` has rejected media that Mistral does not support. */
function mediaChunk(media: Media): ContentChunk {
  const { source, mediaType, filename } = media;
  if (source.case === "fileId") return { type: "file", file_id: source.value };
  const base64 = source.case === "data" ? Buffer.from(source.value).toString("base64") : "";
  const url = source.case === "url" ? source.value : `data:${mediaType};base64,${base64}`;
  const kind = mediaKind(media);
  if (kind === "audio") return { type: "input_audio", input_audio: base64 };
  if (kind === "document") {
    return { type: "document_url", document_url: url, ...(filename && { document_name: filename }) };
  }
  const detail = detailWords[media.detail];
  return { type: "image_url", image_url: { url, ...(detail && { detail }) } };
}
