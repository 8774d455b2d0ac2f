import { append } from "../../append.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Media } from "../../gen/dragoman/v1/media_pb.js";
import type { Part, SearchResult, ToolCall, ToolResult } from "../../gen/dragoman/v1/message_pb.js";
import type { ClaudeModel } from "../claude/claude-models.ts";
import { ownCitations } from "../kit/citations.ts";
import { ExactJson } from "../kit/exact-json.ts";
import { membersOf, objectOf } from "../kit/json-text.ts";
import { jsonInstruction, misplaced, reasoningStart, turnRole } from "../kit/messages.ts";
import { jsonOfState } from "../kit/provider-state.ts";
import { type Mark, type Marker, markMembers } from "./cache-marks.ts";
import { mediaForm, toMediaBlock } from "./media.ts";
import { toServerBlock } from "./server-blocks.ts";
import type {
  Block,
  ResultContent,
  SearchResultBlock,
  TextBlock,
  ToolResultBlock,
  WireMessage,
  WireTurn,
} from "./wire.ts";

/** Message in progress. */
type Turn = { readonly role: WireTurn["role"]; content: Block[] } | { readonly role: "system"; content: TextBlock[] };

/**
 * Converts the messages. System text goes into the field `system`, unless the model accepts it where it is. Consecutive
 * messages of one role become one turn. The API requires that it starts with its tool results: see `orderResults`.
 */
export function toConversation(
  request: ChatRequest,
  rules: ClaudeModel,
  mark: Marker,
): { readonly system: readonly TextBlock[]; readonly messages: readonly WireMessage[] } {
  const start = reasoningStart(request);
  const system: TextBlock[] = [];
  const turns: Turn[] = [];
  const toolsets = new Map<string, string>();
  for (const [index, message] of request.messages.entries()) {
    const role = turnRole(message.role);
    const last = turns.at(-1);
    if (role === "system") {
      const content = message.parts.flatMap((part, place) => systemBlocks(part, mark(index, place)));
      if (!staysInPlace(last?.role, rules)) append(system, content);
      else if (last?.role === "system") append(last.content, content);
      else if (content.length > 0) turns.push({ role, content });
      continue;
    }
    const content = message.parts.flatMap((part, place) =>
      blocksOf(part, { role, withReasoning: index >= start, mark: mark(index, place), toolsets }),
    );
    if (last?.role === role) append(last.content, content);
    else if (content.length > 0) turns.push({ role, content });
  }
  if (request.outputFormat?.format.case === "jsonObject") system.push({ type: "text", text: jsonInstruction });
  return { system, messages: turns };
}

/** Whether a system message keeps its position. Newer models accept it after a user turn or such a system message. */
export function staysInPlace(before: WireMessage["role"] | undefined, { laterSystem }: ClaudeModel): boolean {
  return laterSystem && (before === "user" || before === "system");
}

function systemBlocks({ kind }: Part, mark: Mark): readonly TextBlock[] {
  if (kind.case !== "text") throw misplaced("system", kind.case);
  return kind.value === "" ? [] : [{ type: "text", text: kind.value, ...mark }];
}

/** Place of a part in the conversation. */
interface Place {
  readonly role: "user" | "assistant";
  readonly withReasoning: boolean;
  readonly mark: Mark;
  /** The toolset of each tool call so far that has one, by the id of the call. */
  readonly toolsets: Map<string, string>;
}

/** Converts a part. Omits what the API rejects: empty text, and reasoning without Claude's signature. */
function blocksOf(part: Part, { role, withReasoning, mark, toolsets }: Place): readonly Block[] {
  const { kind } = part;
  switch (kind.case) {
    case "text":
    case "refusal": {
      if (kind.value === "") return [];
      const citations = ownCitations(part.citations);
      return [{ type: "text", text: kind.value, ...(citations.length > 0 && { citations }), ...mark }];
    }
    case "media":
      if (role === "assistant") throw misplaced(role, kind.case);
      return [{ ...mediaBlock(kind.value), ...mark }];
    case "reasoning":
      return withReasoning ? thinkingBlocks(part) : [];
    case "toolCall":
      return [toToolUse(kind.value, part, mark, toolsets)];
    case "toolResult":
      return [{ ...toToolResult(kind.value, toolsets), ...mark }];
    case "serverToolCall":
    case "serverToolResult":
      return withoutUndefined(toServerBlock(part, mark));
    case "searchResult":
      return [{ ...toSearchResult(kind.value), ...mark }];
    case undefined:
      throw misplaced(role, kind.case);
    default:
      return kind satisfies never;
  }
}

/** Returns the reasoning unchanged. Omits it without provider state: a signature, or the data of redacted thinking. */
function thinkingBlocks({ kind, providerState }: Part): readonly Block[] {
  if (kind.case !== "reasoning" || providerState === undefined) return [];
  const state = Buffer.from(providerState.data).toString();
  return kind.value.redacted
    ? [{ type: "redacted_thinking", data: state }]
    : [{ type: "thinking", thinking: kind.value.text, signature: state }];
}

function withoutUndefined(block: Block | undefined): readonly Block[] {
  return block === undefined ? [] : [block];
}

/** Returns a tool call, with the fields in its provider state: who called the tool, and its toolset. */
function toToolUse(
  { id, name, argumentsJson }: ToolCall,
  { providerState }: Part,
  mark: Mark,
  toolsets: Map<string, string>,
): Block {
  const input = argumentsJson || "{}";
  const state = jsonOfState(providerState);
  if (state === undefined) return { type: "tool_use", id, name, input: new ExactJson(input), ...mark };
  const members = membersOf(state);
  const toolset: unknown = JSON.parse(members.get("toolset_name") ?? "null");
  if (typeof toolset === "string") toolsets.set(id, toolset);
  const own = Object.entries({ type: "tool_use", id, name }).map(
    ([key, value]) => [key, JSON.stringify(value)] as const,
  );
  return new ExactJson(objectOf(new Map([...members, ...own, ["input", input], ...markMembers(mark)])));
}

function toSearchResult({ source, title, texts }: SearchResult): SearchResultBlock {
  const content = texts.map((text) => ({ type: "text", text }) as const);
  // The API requires a title.
  return { type: "search_result", source, title: title || source, content, citations: { enabled: true } };
}

function toToolResult(
  { toolCallId, parts, isError }: ToolResult,
  toolsets: ReadonlyMap<string, string>,
): ToolResultBlock {
  const content = parts.flatMap(({ kind }): ResultContent[] => {
    if (kind.case === "searchResult") return [toSearchResult(kind.value)];
    if (kind.case === "toolReference") return [{ type: "tool_reference", tool_name: kind.value.toolName }];
    if (kind.case === "media") {
      const block = mediaBlock(kind.value);
      if (block.type === "container_upload") throw misplaced("tool result", kind.case);
      return [block];
    }
    return kind.case === "text" && kind.value !== "" ? [{ type: "text", text: kind.value }] : [];
  });
  const toolset = toolsets.get(toolCallId);
  const [first] = content;
  const text = content.length === 1 && first?.type === "text" ? first.text : undefined;
  return {
    type: "tool_result",
    tool_use_id: toolCallId,
    ...(content.length > 0 && { content: text ?? content }),
    ...(isError && { is_error: true }),
    ...(toolset !== undefined && { toolset_name: toolset }),
  };
}

function mediaBlock(media: Media) {
  const form = mediaForm(media);
  if (form === undefined) throw misplaced("user", "media");
  return toMediaBlock(media, form);
}
