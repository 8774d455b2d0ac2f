import type { FieldPath } from "../../field-path.ts";
import type { Media } from "../../gen/dragoman/v1/media_pb.js";
import type { Message, Part } from "../../gen/dragoman/v1/message_pb.js";

/** Part of a conversation and its path in the request. */
export class PlacedPart {
  readonly message: Message;
  /** Index of the message in the conversation. */
  readonly index: number;
  readonly part: Part;
  /** Index of the part in its message. */
  readonly place: number;

  constructor(message: Message, index: number, part: Part, place: number) {
    this.message = message;
    this.index = index;
    this.part = part;
    this.place = place;
  }

  /** A getter: most parts are only looked at. */
  get path(): FieldPath {
    return ["messages", this.index, "parts", this.place];
  }
}

/**
 * Yields all parts of a conversation in order. A generator and not a list: a request may have 125,000 parts, and each
 * check of a request reads them all.
 */
export function* partsOf(messages: readonly Message[]): Generator<PlacedPart, void> {
  let index = 0;
  for (const message of messages) {
    let place = 0;
    for (const part of message.parts) yield new PlacedPart(message, index, part, place++);
    index++;
  }
}

/**
 * Whether any part of a conversation passes a test. Creates no object for a part, unlike `partsOf`: most conversations
 * have only texts, and most checks look for something else.
 */
export function hasPart(messages: readonly Message[], test: (part: Part) => boolean): boolean {
  for (const { parts } of messages) for (const part of parts) if (test(part)) return true;
  return false;
}

/** Whether a part can have media in it: `mediaIn` returns none for others. */
export function mayHaveMedia({ kind }: Part): boolean {
  return kind.case === "media" || kind.case === "toolResult";
}

export function hasCacheHint({ cacheHint }: Part): boolean {
  return cacheHint !== undefined;
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
