import type { FieldPath } from "../../field-path.ts";
import type { Media } from "../../gen/dragoman/v1/media_pb.js";
import type { Message, Part } from "../../gen/dragoman/v1/message_pb.js";

/** Part of a conversation and its path in the request. */
export interface PlacedPart {
  readonly message: Message;
  /** Index of the message in the conversation. */
  readonly index: number;
  readonly part: Part;
  /** Index of the part in its message. */
  readonly place: number;
  readonly path: FieldPath;
}

/**
 * Yields all parts of a conversation in order. A generator and not a list: a request may have 125,000 parts, and each
 * check of a request reads them all.
 */
export function* partsOf(messages: readonly Message[]): Generator<PlacedPart, void> {
  for (const [index, message] of messages.entries()) {
    for (const [place, part] of message.parts.entries()) {
      yield { message, index, part, place, path: ["messages", index, "parts", place] };
    }
  }
}

/** Image, audio, video or document in a conversation and its path in the request. */
interface PlacedMedia {
  readonly media: Media;
  readonly path: FieldPath;
}

const none: readonly PlacedMedia[] = [];

/** Returns the media in a part: the part itself if it is media, or the media in its tool result. */
export function mediaIn({ part, path }: Pick<PlacedPart, "part" | "path">): readonly PlacedMedia[] {
  const { kind } = part;
  if (kind.case === "media") return [{ media: kind.value, path: [...path, "media"] }];
  if (kind.case !== "toolResult") return none;
  return kind.value.parts.flatMap((inner, place) =>
    inner.kind.case === "media"
      ? [{ media: inner.kind.value, path: [...path, "tool_result", "parts", place, "media"] }]
      : [],
  );
}
