import { type DeltaEvent, delta } from "../../chat/stream/events.ts";
import type { Citation } from "../../gen/dragoman/v1/citation_pb.js";

// Deltas of choice 0, for APIs that return one choice.

/** Creates a delta of a call of a tool that the provider runs. Set `id` and `name` only in the first delta. */
export function serverCallDelta(partIndex: number, inputJson: string, id = "", name = ""): DeltaEvent {
  const value = { $typeName: "dragoman.v1.ServerToolCall", id, name, inputJson } as const;
  return delta(0, partIndex, { case: "serverToolCall", value });
}

/** Creates a delta of the result of a tool that the provider ran. Set `toolCallId` only in the first delta. */
export function serverResultDelta(partIndex: number, outputJson: string, toolCallId = "", isError = false): DeltaEvent {
  const value = { $typeName: "dragoman.v1.ServerToolResult", toolCallId, outputJson, isError } as const;
  return delta(0, partIndex, { case: "serverToolResult", value });
}

export function citationDelta(partIndex: number, value: Citation): DeltaEvent {
  return delta(0, partIndex, { case: "citation", value });
}

/** Creates a delta of an image. Set `mediaType` only in the first delta. */
export function imageDelta(partIndex: number, data: Uint8Array, mediaType = ""): DeltaEvent {
  const source = { case: "data", value: data } as const;
  const value = { $typeName: "dragoman.v1.Media", source, mediaType, detail: 0, filename: "", transcript: "" } as const;
  return delta(0, partIndex, { case: "media", value });
}
