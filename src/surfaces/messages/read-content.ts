import type { MessageInitShape } from "@bufbuild/protobuf";
import type { FieldPath } from "../../field-path.ts";
import type { MediaSchema } from "../../gen/dragoman/v1/media_pb.js";
import type { CacheHintSchema, Part, PartSchema, ToolResultPartSchema } from "../../gen/dragoman/v1/message_pb.js";
import { mediaSource } from "../kit/data-uri.ts";
import {
  blockNames,
  type CacheControl,
  type DocumentBlock,
  type TextBlock,
  type ToolResultBlock,
  type UserBlock,
} from "./blocks.ts";
import type { Unread } from "./unread.ts";

export type PartInit = Exclude<MessageInitShape<typeof PartSchema>, Part>;
type ResultPart = MessageInitShape<typeof ToolResultPartSchema>;

/** A part, and its block in the body. */
export interface ReadPart {
  readonly part: PartInit;
  readonly place: FieldPath;
  /** Indexes of the blocks that became the parts of a tool result. */
  readonly inner?: readonly number[];
}

const cacheNames: ReadonlySet<string> = new Set(["type", "ttl"]);
const citationsNames: ReadonlySet<string> = new Set(["enabled"]);
const lifetimes = { "5m": 300n, "1h": 3600n } as const;

/** Returns the CacheHint of a block or tool. */
export function readHint(
  control: CacheControl,
  place: FieldPath,
  unread: Unread,
): { readonly cacheHint?: MessageInitShape<typeof CacheHintSchema> } {
  if (!control) return {};
  unread.add(control, [...place, "cache_control"], cacheNames);
  return { cacheHint: control.ttl ? { ttl: { seconds: lifetimes[control.ttl] } } : {} };
}

/** Returns the texts of a system prompt as parts. */
export function readTexts(
  content: string | readonly TextBlock[],
  place: FieldPath,
  unread: Unread,
): readonly ReadPart[] {
  if (typeof content === "string") return [{ part: { kind: { case: "text", value: content } }, place }];
  return content.flatMap((block, index) => readBlock(block, [...place, index], unread));
}

/** Returns the parts of a block of a user message. */
export function readBlock(block: UserBlock, place: FieldPath, unread: Unread): readonly ReadPart[] {
  unread.add(block, place, blockNames.get(block.type));
  const hint = readHint(block.cache_control, place, unread);
  switch (block.type) {
    case "text":
      if (block.citations?.length) unread.leaveOut([...place, "citations"]);
      return [{ part: { kind: { case: "text", value: block.text }, ...hint }, place }];
    case "image":
      return [{ part: { kind: { case: "media", value: imageOf(block.source) }, ...hint }, place }];
    case "document": {
      const document: ReadPart = {
        part: { kind: { case: "media", value: documentOf(block, place, unread) }, ...hint },
        place,
      };
      if (!block.context) return [document];
      // The contract has no field for it, and models of other providers read it as text.
      return [{ part: { kind: { case: "text", value: block.context } }, place: [...place, "context"] }, document];
    }
    case "search_result":
      return [
        { part: { kind: { case: "searchResult", value: searchResultOf(block, place, unread) }, ...hint }, place },
      ];
    case "container_upload": {
      const source = { case: "fileId", value: block.file_id } as const;
      return [{ part: { kind: { case: "media", value: { source, mediaType: uploadType } }, ...hint }, place }];
    }
    case "tool_result": {
      const results = readResults(block.content, [...place, "content"], unread);
      const value = {
        toolCallId: block.tool_use_id,
        parts: results.map(({ part }) => part),
        isError: block.is_error ?? false,
      };
      return [
        { part: { kind: { case: "toolResult", value }, ...hint }, place, inner: results.map(({ index }) => index) },
      ];
    }
    default:
      return block satisfies never;
  }
}

/** Media type of a file for code execution (Media.file_id). */
const uploadType = "application/octet-stream";

interface Result {
  readonly part: ResultPart;
  readonly index: number;
}

function readResults(content: ToolResultBlock["content"], place: FieldPath, unread: Unread): readonly Result[] {
  if (!content) return [];
  if (typeof content === "string") return [{ part: { kind: { case: "text", value: content } }, index: 0 }];
  return content.flatMap((block, index): readonly Result[] => {
    const path = [...place, index];
    switch (block.type) {
      case "text":
      case "image":
      case "document":
      case "search_result":
        return readBlock(block, path, unread).flatMap(({ part }) => {
          if (part.cacheHint) unread.leaveOut([...path, "cache_control"]);
          const { kind } = part;
          const isResult = kind?.case === "text" || kind?.case === "media" || kind?.case === "searchResult";
          return isResult ? [{ part: { kind }, index }] : [];
        });
      case "tool_reference": {
        if (block.cache_control) unread.leaveOut([...path, "cache_control"]);
        return [{ part: { kind: { case: "toolReference", value: { toolName: block.tool_name } } }, index }];
      }
      case "browser_state":
        unread.leaveOut(path);
        return [];
      default:
        return block satisfies never;
    }
  });
}

type MediaInit = MessageInitShape<typeof MediaSchema>;

function imageOf(source: Extract<UserBlock, { type: "image" }>["source"]): MediaInit {
  switch (source.type) {
    case "base64":
      return { source: { case: "data", value: source.data }, mediaType: source.media_type };
    case "url":
      return mediaSource(source.url);
    case "file":
      return { source: { case: "fileId", value: source.file_id }, mediaType: "image/png" };
    default:
      return source satisfies never;
  }
}

function documentOf(block: DocumentBlock, place: FieldPath, unread: Unread): MediaInit {
  const { title, citations } = block;
  if (citations) unread.add(citations, [...place, "citations"], citationsNames);
  const citable = citations?.enabled;
  return {
    ...documentSource(block.source),
    ...(title && { filename: title }),
    ...(typeof citable === "boolean" && { citable }),
  };
}

function documentSource(source: DocumentBlock["source"]): MediaInit {
  switch (source.type) {
    case "base64":
      return { source: { case: "data", value: source.data }, mediaType: source.media_type };
    case "text":
      return textDocument(source.data);
    case "content":
      return textDocument(
        typeof source.content === "string" ? source.content : source.content.map(({ text }) => text).join("\n\n"),
      );
    case "url":
      return { mediaType: "application/pdf", ...mediaSource(source.url) };
    case "file":
      return { source: { case: "fileId", value: source.file_id }, mediaType: "application/pdf" };
    default:
      return source satisfies never;
  }
}

function textDocument(text: string): MediaInit {
  return { source: { case: "data", value: Buffer.from(text) }, mediaType: "text/plain" };
}

function searchResultOf(
  { source, title, content, citations }: Extract<UserBlock, { type: "search_result" }>,
  place: FieldPath,
  unread: Unread,
) {
  // Dragoman always asks for citations of search results.
  if (citations?.enabled === false) unread.leaveOut([...place, "citations", "enabled"]);
  return { source, title: title ?? "", texts: content.map(({ text }) => text) };
}
