import type { FieldPath } from "../../field-path.ts";
import type { Media, Message, Part } from "../../gen/dragoman/v1/message_pb.js";

/** A part of a conversation, and the path to it. */
export interface PlacedPart {
  readonly message: Message;
  /** Which message of the conversation it is in. */
  readonly index: number;
  readonly part: Part;
  readonly path: FieldPath;
}

/** The parts of a conversation in their order. */
export function partsOf(messages: readonly Message[]): readonly PlacedPart[] {
  return messages.flatMap((message, index) =>
    message.parts.map((part, place) => ({ message, index, part, path: ["messages", index, "parts", place] })),
  );
}

/** A medium of a conversation, and the path to it. */
interface PlacedMedia {
  readonly media: Media;
  readonly path: FieldPath;
}

/** The media in a part: itself, or those in the result of a tool. */
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
