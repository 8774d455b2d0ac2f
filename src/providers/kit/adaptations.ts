import type { Adaptation } from "../../chat/planning/adaptations.ts";
import { mediaIn, type PlacedPart, partsOf } from "../../chat/planning/parts.ts";
import { isSystem } from "../../chat/validation/request-rules.ts";
import type { FieldPath } from "../../field-path.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import { type Media, MediaDetail, type Message } from "../../gen/dragoman/v1/message_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { ReasoningEffort } from "../../gen/dragoman/v1/reasoning_pb.js";

/** The field is left out. */
export function unsupported(field: FieldPath, message: string): Adaptation {
  return { kind: "UNSUPPORTED_PARAMETER", field, message };
}

/** Without the field the request would ask for something else. */
export function rejected(field: FieldPath, message: string): Adaptation {
  return { kind: "REJECTED", field, message };
}

/** It is done another way, or the dialect has no place for it: the caller is told, and the call goes on. */
export function emulated(field: FieldPath, message: string): Adaptation {
  return { kind: "EMULATED", field, message };
}

/** The effort is not one that `subject` takes. */
export function effortRejected(
  subject: string,
  efforts: readonly ReasoningEffort[],
  field: FieldPath = ["reasoning", "effort"],
): Adaptation {
  const words = efforts.map((effort) => ReasoningEffort[effort]?.toLowerCase()).join(", ");
  return rejected(field, `${subject} takes the reasoning efforts ${words}`);
}

/** A temperature above the dialect's highest is lowered to it. A model that states as low a limit is held to it elsewhere. */
export function* temperatureLimit(
  { parameters }: ChatRequest,
  { maxTemperature = Number.POSITIVE_INFINITY }: Model,
  title: string,
  most: number,
): Generator<Adaptation> {
  if ((parameters?.temperature ?? 0) <= most || maxTemperature <= most) return;
  const message = `${title} takes a temperature of at most ${most}`;
  yield { kind: "ADJUSTED", field: ["parameters", "temperature"], message, set: most };
}

/** Results of tools with media in them, where only text can be one. */
export function* textResults(messages: readonly Message[], title: string): Generator<Adaptation> {
  for (const { part, path } of partsOf(messages)) {
    const { kind } = part;
    if (kind.case !== "toolResult" || !kind.value.parts.some((inner) => inner.kind.case === "media")) continue;
    yield rejected([...path, "tool_result"], `${title} takes only text as the result of a tool`);
  }
}

/** The first system message after the conversation began; -1 where there is none. */
export function laterSystem(messages: readonly Message[]): number {
  const spoken = messages.findIndex((message) => !isSystem(message));
  return messages.findIndex((message, index) => spoken >= 0 && index > spoken && isSystem(message));
}

/** Where a conversation first holds something that a dialect may have no place for. */
const firstPlaces = {
  name: ({ messages }) => {
    const index = messages.findIndex(({ name }) => name !== "");
    return index < 0 ? undefined : ["messages", index, "name"];
  },
  cacheHint: ({ messages, tools }) => {
    const index = tools.findIndex(({ cacheHint }) => cacheHint !== undefined);
    if (index >= 0) return ["tools", index, "cache_hint"];
    const hinted = partsOf(messages).find(({ part }) => part.cacheHint !== undefined);
    return hinted && [...hinted.path, "cache_hint"];
  },
  detail: (request) => firstMedium(request, "detail", ({ detail }) => detail > MediaDetail.AUTO),
  filename: (request) => firstMedium(request, "filename", ({ filename }) => filename !== ""),
} as const satisfies Record<string, (request: ChatRequest) => FieldPath | undefined>;

function firstMedium(
  { messages }: ChatRequest,
  field: "detail" | "filename",
  holds: (media: Media) => boolean,
): FieldPath | undefined {
  const first = partsOf(messages)
    .flatMap(mediaIn)
    .find(({ media }) => holds(media));
  return first && [...first.path, field];
}

type Omission = keyof typeof firstPlaces;

/**
 * What of a conversation a dialect has no place for and its adapter does not send, by what it is, with a sentence that
 * says so. Each is told once, at the first place where it is lost.
 */
export function leftOut(
  request: ChatRequest,
  sentences: Readonly<Partial<Record<Omission, string>>>,
): readonly Adaptation[] {
  const found: Adaptation[] = [];
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
): readonly Adaptation[] {
  const lost = partsOf(messages).find((placed) => placed.part.kind.case === "reasoning" && isLost(placed));
  return lost === undefined ? [] : [emulated([...lost.path, "reasoning"], sentence)];
}
