import type { MessageInitShape } from "@bufbuild/protobuf";
import type { FieldPath } from "../../field-path.ts";
import type { CitationSchema } from "../../gen/dragoman/v1/citation_pb.js";
import type { Part } from "../../gen/dragoman/v1/message_pb.js";
import { toJsonText } from "../kit/json-values.ts";
import { type AssistantBlock, blockNames, type ServerBlock, type TextBlock } from "./blocks.ts";
import { carried } from "./carried.ts";
import { claudeState } from "./claude.ts";
import { type ReadPart, readHint } from "./read-content.ts";
import type { Unread } from "./unread.ts";

type Block = AssistantBlock | ServerBlock;

/** Returns the parts of the blocks of an assistant message, with what `carry` put into other blocks. */
export function readAnswer(blocks: readonly Block[], place: FieldPath, unread: Unread): readonly ReadPart[] {
  const parts: ReadPart[] = [];
  let next: Part | undefined;
  for (const [index, block] of blocks.entries()) {
    const path = [...place, index];
    const data = isRedacted(block) ? carried(block.data) : undefined;
    const last = parts.at(-1);
    if (data?.owner === "next") next = data.part;
    else if (data?.owner === "previous") {
      if (last !== undefined) parts[parts.length - 1] = { ...last, part: withCarried(last.part, data.part) };
    } else if (data !== undefined) {
      const { $typeName: _, ...part } = data.part;
      parts.push({ part, place: path });
    } else {
      const part = readPart(block, next !== undefined, path, unread);
      parts.push({ part: next ? withCarried(part, next) : part, place: path });
      next = undefined;
    }
  }
  return parts;
}

function isRedacted(block: Block): block is Extract<AssistantBlock, { type: "redacted_thinking" }> {
  return block.type === "redacted_thinking";
}

/** Adds carried fields, which replace those of the block: the block has less of them. */
function withCarried(part: ReadPart["part"], { kind, providerState, citations }: Part): ReadPart["part"] {
  const said = part.kind?.case === "text" ? part.kind.value : undefined;
  return {
    ...part,
    ...(kind.case === "refusal" && said !== undefined && { kind: { case: "refusal", value: said } as const }),
    ...(providerState && { providerState }),
    ...(citations.length > 0 && { citations }),
  };
}

/** @param isOthers whether the block is of a provider with another API, so that it has no state of Anthropic's */
function readPart(block: Block, isOthers: boolean, place: FieldPath, unread: Unread): ReadPart["part"] {
  if (!isKnown(block)) return readServerBlock(block, isOthers, place, unread);
  unread.add(block, place, blockNames.get(block.type));
  switch (block.type) {
    case "text": {
      const hint = readHint(block.cache_control, place, unread);
      const citations = (block.citations ?? []).map(citationOf);
      return { kind: { case: "text", value: block.text }, citations, ...hint };
    }
    case "thinking":
      return { kind: { case: "reasoning", value: { text: block.thinking } }, ...stateOf(block.signature ?? "") };
    case "redacted_thinking":
      return { kind: { case: "reasoning", value: { redacted: true } }, ...stateOf(block.data) };
    case "tool_use": {
      const { type: _, id, name, input, cache_control, ...rest } = block;
      const value = { id, name, argumentsJson: toJsonText(input ?? {}) };
      const state = callState(rest);
      return { kind: { case: "toolCall", value }, ...state, ...readHint(cache_control, place, unread) };
    }
    default:
      return block satisfies never;
  }
}

function isKnown(block: Block): block is AssistantBlock {
  return ["text", "thinking", "redacted_thinking", "tool_use"].includes(block.type);
}

/** Returns the state of a signature or of redacted data: what it carries, or else that of Claude. */
function stateOf(text: string): Pick<ReadPart["part"], "providerState"> {
  if (text === "") return {};
  const own = carried(text);
  if (own === undefined) return { providerState: claudeState(text) };
  return own.part.providerState ? { providerState: own.part.providerState } : {};
}

/** Returns the fields of a call that Anthropic requires back. Calls of the model itself are the default. */
function callState({
  caller,
  toolset_name,
}: Readonly<Record<string, unknown>>): Pick<ReadPart["part"], "providerState"> {
  const isDirect = typeof caller !== "object" || caller === null || ("type" in caller && caller.type === "direct");
  const fields = { ...(!isDirect && { caller }), ...(typeof toolset_name === "string" && { toolset_name }) };
  return Object.keys(fields).length === 0 ? {} : { providerState: claudeState(toJsonText(fields)) };
}

type CitationInit = MessageInitShape<typeof CitationSchema>;

/** Returns a citation whose state is the citation itself, as Anthropic requires it back: without the file's id. */
function citationOf({ file_id: _, ...citation }: NonNullable<TextBlock["citations"]>[number]): CitationInit {
  const { url, title, cited_text } = citation;
  const value = { url: textIn(url), title: textIn(title) };
  return {
    citedText: textIn(cited_text),
    ...(typeof url === "string" && { source: { case: "url", value } as const }),
    providerState: claudeState(toJsonText(citation)),
  };
}

/** Reads a block that only Anthropic's API has. Its other fields are provider state (providers/anthropic). */
function readServerBlock(block: ServerBlock, isOthers: boolean, place: FieldPath, unread: Unread): ReadPart["part"] {
  const { cache_control, ...members } = block;
  const { id, name, input, tool_use_id, content, ...rest } = members;
  const hint = readHint(cache_control, place, unread);
  const state = (fields: object) => (isOthers ? {} : { providerState: claudeState(toJsonText(fields)) });
  if (block.type.endsWith("_tool_use")) {
    const value = { id: textIn(id), name: textIn(name), inputJson: toJsonText(input ?? {}) };
    return { kind: { case: "serverToolCall", value }, ...state(rest), ...hint };
  }
  if (block.type.endsWith("_tool_result")) {
    const outputJson = isOthers ? textOf(content) : toJsonText(content ?? null);
    const value = { toolCallId: textIn(tool_use_id), outputJson, isError: isFailed(rest, content) };
    return { kind: { case: "serverToolResult", value }, ...state(rest), ...hint };
  }
  return { kind: { case: "serverToolResult", value: { outputJson: toJsonText(members) } }, ...state({}), ...hint };
}

function isFailed({ is_error }: Readonly<Record<string, unknown>>, content: unknown): boolean {
  return is_error === true || (typeof content === "object" && content !== null && "error_code" in content);
}

/** Returns the text of the only block of a result. */
function textOf(content: unknown): string {
  const [first]: readonly unknown[] = Array.isArray(content) ? content : [];
  return typeof first === "object" && first !== null && "text" in first ? textIn(first.text) : "";
}

function textIn(value: unknown): string {
  return typeof value === "string" ? value : "";
}
