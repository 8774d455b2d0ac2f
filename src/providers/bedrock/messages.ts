import { append } from "../../append.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Media } from "../../gen/dragoman/v1/media_pb.js";
import type { Part, Reasoning, SearchResult, ToolResult } from "../../gen/dragoman/v1/message_pb.js";
import type { ProviderState } from "../../gen/dragoman/v1/provider_state_pb.js";
import { ownCitations } from "../kit/citations.ts";
import { ExactJson } from "../kit/exact-json.ts";
import { misplaced, reasoningStart, textOf, turnRole } from "../kit/messages.ts";
import type { Marker } from "./cache-points.ts";
import { documentNames, toMediaBlock } from "./media.ts";
import type { ModelRules } from "./model-rules.ts";
import { toServerBlock } from "./server-blocks.ts";
import type {
  Block,
  CachePoint,
  MediaBlock,
  ReasoningContent,
  SearchResultBlock,
  TextBlock,
  Turn,
  WireToolResult,
} from "./wire.ts";

type DocumentName = ReturnType<typeof documentNames>;

/** Converts the messages. System text goes into `system`, and consecutive messages of one role become one turn. */
export function toConversation(
  request: ChatRequest,
  rules: ModelRules,
  mark: Marker,
): { readonly system: readonly (TextBlock | CachePoint)[]; readonly messages: readonly Turn[] } {
  const documentName = documentNames();
  const start = reasoningStart(request);
  const system: (TextBlock | CachePoint)[] = [];
  const messages: { readonly role: Turn["role"]; readonly content: Block[] }[] = [];
  for (const [index, message] of request.messages.entries()) {
    const role = turnRole(message.role);
    const kept = (part: Part) => index >= start || part.kind.case !== "reasoning";
    const blocksFor = <T>(blocks: (part: Part) => readonly T[]) =>
      message.parts.flatMap((part, place) => (kept(part) ? [...blocks(part), ...mark(index, place)] : []));
    if (role === "system") {
      append(system, blocksFor(systemBlocks));
      continue;
    }
    const content = blocksFor((part) => toBlocks(part, role, rules, documentName));
    const last = messages.at(-1);
    if (last?.role === role) append(last.content, content);
    else if (content.length > 0) messages.push({ role, content });
  }
  return { system, messages };
}

function systemBlocks({ kind }: Part): readonly TextBlock[] {
  return textBlocks(textOf(kind, "system"));
}

/** Converts a part of a user, tool or assistant message. Throws INVALID_REQUEST if the role cannot contain the part. */
function toBlocks(part: Part, role: Turn["role"], rules: ModelRules, documentName: DocumentName): readonly Block[] {
  const { kind, providerState, citations } = part;
  const isAssistant = role === "assistant";
  switch (kind.case) {
    case "text": {
      const cited = ownCitations(citations);
      if (cited.length === 0 || kind.value === "") return textBlocks(kind.value);
      return [{ citationsContent: { content: textBlocks(kind.value), citations: cited } }];
    }
    case "media":
      if (isAssistant) break;
      return [mediaBlock(kind.value, documentName)];
    case "toolResult":
      if (isAssistant) break;
      return [{ toolResult: toToolResult(kind.value, rules, documentName) }];
    case "refusal":
      if (!isAssistant) break;
      return textBlocks(kind.value);
    case "reasoning":
      if (!isAssistant) break;
      // Bedrock rejects unsigned reasoning, such as another model's.
      if (providerState === undefined) return [];
      return [{ reasoningContent: toReasoning(kind.value, providerState) }];
    case "toolCall": {
      if (!isAssistant) break;
      const { id, name, argumentsJson } = kind.value;
      const input = new ExactJson(argumentsJson || "{}");
      return [{ toolUse: { toolUseId: id, name, input } }];
    }
    case "serverToolCall":
    case "serverToolResult": {
      if (!isAssistant) break;
      const block = toServerBlock(part);
      return block === undefined ? [] : [block];
    }
    case "searchResult":
      return [toSearchResult(kind.value)];
    case undefined:
      break;
    default:
      kind satisfies never;
  }
  throw misplaced(role, kind.case);
}

/** Returns reasoning with its state: a signature, or redacted data, whose base64 text is the state at Anthropic. */
function toReasoning({ text, redacted }: Reasoning, { provider, data }: ProviderState): ReasoningContent {
  const bytes = Buffer.from(data);
  if (redacted) return { redactedContent: bytes.toString(provider === "anthropic" ? "utf8" : "base64") };
  return { reasoningText: { text, signature: bytes.toString() } };
}

function toToolResult(
  { toolCallId: toolUseId, parts, isError }: ToolResult,
  rules: ModelRules,
  documentName: DocumentName,
): WireToolResult {
  const content = parts.flatMap(({ kind }): WireToolResult["content"] => {
    if (kind.case === "text") return textBlocks(kind.value);
    if (kind.case === "searchResult") return [toSearchResult(kind.value)];
    const block = kind.case === "media" ? mediaBlock(kind.value, documentName) : undefined;
    if (block === undefined || "audio" in block) throw misplaced("tool result", kind.case);
    return [block];
  });
  return { toolUseId, content, ...(isError && rules.marks && { status: "error" }) };
}

function toSearchResult({ source, title, texts }: SearchResult): SearchResultBlock {
  const content = texts.map((text) => ({ text }));
  // Bedrock requires a title.
  return { searchResult: { source, title: title || source, content, citations: { enabled: true } } };
}

function mediaBlock(media: Media, documentName: DocumentName): MediaBlock {
  const block = toMediaBlock(media, "");
  if (block === undefined) throw misplaced("bedrock", "media");
  return "document" in block ? { document: { ...block.document, name: documentName(media.filename) } } : block;
}

/** Omits empty text, because Bedrock rejects it. */
function textBlocks(text: string): readonly TextBlock[] {
  return text === "" ? [] : [{ text }];
}
