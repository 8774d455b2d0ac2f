import type { FieldPath } from "../../field-path.ts";
import type { Media, Message, Part } from "../../gen/dragoman/v1/message_pb.js";

/** Part of a conversation and its path in the request. */
export interface PlacedPart {
  readonly message: Message;
  /** Index of the message in the conversation. */
  readonly index: number;
  readonly part: Part;
  readonly path: FieldPath;
}

/** Returns all parts of a conversation in order. */
export function partsOf(messages: readonly Message[]): readonly PlacedPart[] {
  return messages.flatMap((message, index) =>
    message.parts.map((part, place) => ({ message, index, part, path: ["messages", index, "parts", place] })),
  );
}

/** Image, audio, video or document in a conversation and its path in the request. */
interface PlacedMedia {
  readonly media: Media;
  readonly path: FieldPath;
}

/** Returns the media in a part: the part itself if it is media, or the media in its tool result. */
export function mediaIn({ part, path }: Pick<PlacedPart, "part" | "path">): readonly PlacedMedia[] {
  const { kind } = part;
  if (kind.case === "media") return [{ media: kind.value, path: [...path, "media"] }];
  if (kind.case !== "toolResult") return [];
  return kind.value.parts.flatMap((inner, place) =>
    inner.kind.case === "media"
      ? [{ media: inner.kind.value, path: [...path, "tool_result", "parts", place, "media"] }]
      : [],
  );
}
