import { append } from "../../append.ts";
import type { ReasoningDetail } from "../../chat/stream/reasoning-details.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import { type Message, Role, type ToolResult } from "../../gen/dragoman/v1/message_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { misplaced, reasoningStart, simplest, textOf, withoutRole } from "../kit/messages.ts";
import { withBridges } from "../kit/mistral.ts";
import { assistantTurn } from "./assistant-turn.ts";
import { type CacheMark, type CacheMarks, createMarker } from "./cache-marks.ts";
import { type ConversationRules, conversationRulesOf } from "./conversation-rules.ts";
import { toMediaPart } from "./media.ts";
import type { Quirks } from "./quirks.ts";
import { decodeDetails } from "./reasoning-details.ts";
import { replayedMedia, toAnnotations } from "./replay-output.ts";
import type { ContentPart, WireAssistant, WireMessage } from "./wire.ts";

const noHints: readonly CacheMark[] = [];

/** Converts the messages to the wire format. OpenAI's reasoning models get system messages as developer messages. */
export function toMessages(
  request: ChatRequest,
  model: Model,
  quirks: Quirks,
  { isReasoningModel, marks }: { readonly isReasoningModel: boolean; readonly marks?: CacheMarks | undefined },
): readonly WireMessage[] {
  const rules = conversationRulesOf(model);
  const start = reasoningStart(request);
  const marker = marks && createMarker(request, marks);
  const sent = request.messages.flatMap(toWire);
  return rules.answersResults ? withBridges(sent) : sent;

  function toWire(message: Message, index: number): readonly WireMessage[] {
    const hints = marker === undefined ? noHints : message.parts.map((_, place) => marker(index, place));
    const ofTexts = marks?.on === "texts" ? hints : [];
    const ofMessage =
      marks?.on === "messages" ? hints.findLast(({ cache_control }) => cache_control !== undefined) : {};
    switch (message.role) {
      case Role.SYSTEM:
        return [
          plainMessage(isReasoningModel && quirks.developerRole ? "developer" : "system", message, ofTexts, ofMessage),
        ];
      case Role.DEVELOPER:
        return [plainMessage(quirks.developerRole ? "developer" : "system", message, ofTexts, ofMessage)];
      case Role.USER:
        return [plainMessage("user", message, ofTexts, ofMessage)];
      case Role.ASSISTANT:
        return [
          { ...withContent(assistantMessage(message, quirks, rules, index >= start, ofTexts), quirks), ...ofMessage },
        ];
      case Role.TOOL:
        return message.parts.map(({ kind }, place) => {
          if (kind.case !== "toolResult") throw misplaced("tool", kind.case);
          return { ...toolMessage(kind.value, ofTexts[place]), ...(marks?.on === "messages" && hints[place]) };
        });
      case Role.UNSPECIFIED:
        throw withoutRole();
      default:
        return message.role satisfies never;
    }
  }
}

function plainMessage(
  role: "system" | "developer" | "user",
  { parts, name }: Message,
  ofTexts: readonly CacheMark[],
  ofMessage: CacheMark | undefined,
): WireMessage {
  const content = parts.map(({ kind }, place): ContentPart => {
    if (kind.case === "media") return toMediaPart(kind.value);
    return { type: "text", text: textOf(kind, role), ...ofTexts[place] };
  });
  return { role, content: simplest(content), ...(name && { name }), ...ofMessage };
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

function assistantMessage(
  { parts, name }: Message,
  quirks: Quirks,
  rules: ConversationRules,
  withReasoning: boolean,
  ofTexts: readonly CacheMark[],
): WireAssistant {
  const media = parts.flatMap((part) => replayedMedia(part, quirks) ?? []);
  const { outputs, calls } = assistantTurn(parts.filter(({ kind }) => kind.case !== "media"));
  const textMarks = ofTexts.filter((_, place) => parts[place]?.kind.case === "text");
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
      content.push({ type: "text", text: kind.value, ...(kind.case === "text" && textMarks.shift()) });
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
    ...replay(replayOf(quirks, rules), { reasoning, details, callsTools: calls.length > 0, withReasoning }),
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

/** How to send reasoning back: the server's field, and the turns that need it even if it is empty. */
interface Replay {
  readonly field: "reasoning" | "reasoning_content" | "reasoning_details" | undefined;
  readonly needed: ConversationRules["reasoning"];
}

function replayOf({ reasoningReplay }: Quirks, { reasoning: needed }: ConversationRules): Replay {
  if (reasoningReplay === "reasoning_content also with calls") {
    return { field: "reasoning_content", needed: needed ?? "turns with calls" };
  }
  return { field: reasoningReplay ?? (needed && "reasoning_content"), needed };
}

/** Reasoning of a turn. */
interface Thoughts {
  readonly reasoning: string;
  readonly details: readonly ReasoningDetail[];
  readonly callsTools: boolean;
  /** Whether the request keeps the reasoning of this turn. */
  readonly withReasoning: boolean;
}

/** Returns the fields of an assistant message that send its reasoning back. */
function replay(
  { field, needed }: Replay,
  { reasoning, details, callsTools, withReasoning }: Thoughts,
): Pick<WireAssistant, "reasoning" | "reasoning_content" | "reasoning_details"> {
  const hasDetails = field === "reasoning_details";
  const isKept = withReasoning || (callsTools && (needed !== undefined || hasDetails));
  const isNeeded = needed === "every turn" || (needed !== undefined && callsTools);
  if (field === undefined) return {};
  if (hasDetails && isKept && details.length > 0) return { reasoning_details: details };
  if (isKept && reasoning !== "") return { [hasDetails ? "reasoning" : field]: reasoning };
  return isNeeded ? { [hasDetails ? "reasoning_content" : field]: "" } : {};
}

/** Returns the message of a tool result. Its last text has the prompt cache breakpoint, if it has one. */
function toolMessage({ toolCallId, parts }: ToolResult, mark: CacheMark | undefined): WireMessage {
  const content = parts.map(
    ({ kind }, place): ContentPart => ({
      ...{ type: "text", text: textOf(kind, "tool result") },
      ...(place === parts.length - 1 && mark),
    }),
  );
  return { role: "tool", tool_call_id: toolCallId, content: simplest(content) };
}
