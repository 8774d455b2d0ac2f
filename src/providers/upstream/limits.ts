import type { Limitation } from "../../chat/limitations.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import { type Media, MediaDetail, type Message, type Part } from "../../gen/dragoman/v1/message_pb.js";

/** The field is left out. */
export function unsupported(field: string, message: string): Limitation {
  return { kind: "UNSUPPORTED_PARAMETER", field, message };
}

/** Without the field the request would ask for something else. */
export function refused(field: string, message: string): Limitation {
  return { kind: "REFUSED", field, message };
}

/** It is done another way, or the dialect has no place for it: the caller is told, and the call goes on. */
export function emulated(field: string, message: string): Limitation {
  return { kind: "EMULATED", field, message };
}

/** A part of a conversation, and the path to it. */
export interface PlacedPart {
  readonly message: Message;
  /** Which message of the conversation it is in. */
  readonly index: number;
  readonly part: Part;
  readonly path: string;
}

/** The parts of a conversation in their order. */
export function partsOf(messages: readonly Message[]): readonly PlacedPart[] {
  return messages.flatMap((message, index) =>
    message.parts.map((part, place) => ({ message, index, part, path: `messages[${index}].parts[${place}]` })),
  );
}

/** The media in a part: itself, or those in the result of a tool. */
export function mediaIn({ part, path }: PlacedPart): readonly { readonly media: Media; readonly path: string }[] {
  const { kind } = part;
  if (kind.case === "media") return [{ media: kind.value, path: `${path}.media` }];
  if (kind.case !== "toolResult") return [];
  return kind.value.parts.flatMap((inner, place) =>
    inner.kind.case === "media" ? [{ media: inner.kind.value, path: `${path}.tool_result.parts[${place}].media` }] : [],
  );
}

/** Where a conversation first holds something that a dialect may have no place for. */
const firstPlaces = {
  name: ({ messages }) => {
    const index = messages.findIndex(({ name }) => name !== "");
    return index < 0 ? undefined : `messages[${index}].name`;
  },
  cacheHint: ({ messages, tools }) => {
    const index = tools.findIndex(({ cacheHint }) => cacheHint !== undefined);
    if (index >= 0) return `tools[${index}].cache_hint`;
    const hinted = partsOf(messages).find(({ part }) => part.cacheHint !== undefined);
    return hinted && `${hinted.path}.cache_hint`;
  },
  detail: (request) => firstMedium(request, "detail", ({ detail }) => detail > MediaDetail.AUTO),
  filename: (request) => firstMedium(request, "filename", ({ filename }) => filename !== ""),
} as const satisfies Record<string, (request: ChatRequest) => string | undefined>;

function firstMedium(
  { messages }: ChatRequest,
  field: "detail" | "filename",
  holds: (media: Media) => boolean,
): string | undefined {
  const first = partsOf(messages)
    .flatMap(mediaIn)
    .find(({ media }) => holds(media));
  return first && `${first.path}.${field}`;
}

type Omission = keyof typeof firstPlaces;

/**
 * What of a conversation a dialect has no place for and its adapter does not send, by what it is, with a sentence that
 * says so. Each is told once, at the first place where it is lost.
 */
export function leftOut(
  request: ChatRequest,
  sentences: Readonly<Partial<Record<Omission, string>>>,
): readonly Limitation[] {
  const found: Limitation[] = [];
  for (const what of ["name", "cacheHint", "detail", "filename"] as const satisfies readonly Omission[]) {
    const sentence = sentences[what];
    const path = sentence && firstPlaces[what](request);
    if (sentence && path) found.push(emulated(path, sentence));
  }
  return found;
}

/** The first thought of a conversation that is not sent. Nothing where there is none. */
export function lostThought(
  messages: readonly Message[],
  isLost: (placed: PlacedPart) => boolean,
  sentence: string,
): readonly Limitation[] {
  const lost = partsOf(messages).find((placed) => placed.part.kind.case === "reasoning" && isLost(placed));
  return lost === undefined ? [] : [emulated(`${lost.path}.reasoning`, sentence)];
}
