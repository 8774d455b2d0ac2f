import { create } from "@bufbuild/protobuf";
import { type ChatEvent, delta } from "../../chat/stream/events.ts";
import { MediaSchema } from "../../gen/dragoman/v1/media_pb.js";
import { ServerToolCallSchema, ServerToolResultSchema } from "../../gen/dragoman/v1/message_pb.js";
import type { Said } from "./script.ts";

/** Part of a choice's message. */
export interface PlannedPart {
  readonly kind: "text" | "reasoning" | "refusal" | "toolCall" | "media" | "serverToolCall" | "serverToolResult";
  readonly count: number;
  delta(choiceIndex: number, partIndex: number, position: number): ChatEvent;
}

/** Adds citations as the last deltas of a part. Returns a part without deltas unchanged. */
export function withCitations(part: PlannedPart, citations: Said["citations"]): PlannedPart {
  if (part.count === 0 || citations.length === 0) return part;
  return {
    kind: part.kind,
    count: part.count + citations.length,
    delta(choiceIndex, partIndex, position) {
      const citation = citations[position - part.count];
      return citation === undefined
        ? part.delta(choiceIndex, partIndex, position)
        : delta(choiceIndex, partIndex, { case: "citation", value: citation });
    },
  };
}

export function mediaPart(scripted: Said["media"][number]): PlannedPart {
  const { media_type: mediaType, url, file_id: fileId, transcript, fragments } = scripted;
  const data = scripted.data ?? new Uint8Array(scripted.size);
  const reference = url ? ({ case: "url", value: url } as const) : ({ case: "fileId", value: fileId } as const);
  const source = (begin: number, end: number) =>
    url || fileId ? reference : ({ case: "data", value: data.subarray(begin, end) } as const);
  const isReference = Boolean(url || fileId);
  const size = Math.ceil(data.length / fragments);
  return {
    kind: "media",
    count: isReference ? 1 : fragments,
    delta(choiceIndex, partIndex, position) {
      const value = create(MediaSchema, {
        source: source(position * size, (position + 1) * size),
        ...(position === 0 && { mediaType, transcript }),
      });
      return delta(choiceIndex, partIndex, { case: "media", value });
    },
  };
}

/** Returns the call of a tool that the provider runs and, if the script has it, the result. */
export function serverToolParts(tool: Said["server_tools"][number], id: string): readonly PlannedPart[] {
  const call = create(ServerToolCallSchema, { id, name: tool.name, inputJson: jsonOf(tool.input) });
  const parts: PlannedPart[] = [
    {
      kind: "serverToolCall",
      count: 1,
      delta: (choiceIndex, partIndex) => delta(choiceIndex, partIndex, { case: "serverToolCall", value: call }),
    },
  ];
  if (tool.output === undefined) return parts;
  const outputJson = jsonOf(tool.output);
  const result = create(ServerToolResultSchema, { toolCallId: id, outputJson, isError: tool.is_error });
  parts.push({
    kind: "serverToolResult",
    count: 1,
    delta: (choiceIndex, partIndex) => delta(choiceIndex, partIndex, { case: "serverToolResult", value: result }),
  });
  return parts;
}

export function jsonOf(value: unknown): string {
  return value === undefined ? "" : JSON.stringify(value);
}
