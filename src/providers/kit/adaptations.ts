import { append } from "../../append.ts";
import type { Adaptation } from "../../chat/planning/adaptations.ts";
import { hasCacheHint, hasPart, mayHaveMedia, mediaIn, type PlacedPart, partsOf } from "../../chat/planning/parts.ts";
import { isSystem } from "../../chat/validation/request-rules.ts";
import type { FieldPath } from "../../field-path.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import { type Media, MediaDetail } from "../../gen/dragoman/v1/media_pb.js";
import type { Message } from "../../gen/dragoman/v1/message_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { ReasoningEffort } from "../../gen/dragoman/v1/reasoning_pb.js";

/** Reports an unsupported field. Dragoman omits the field. */
export function unsupported(field: FieldPath, message: string): Adaptation {
  return { kind: "UNSUPPORTED_PARAMETER", field, message };
}

/** Rejects the request: without the unsupported field, it would mean something else. */
export function rejected(field: FieldPath, message: string): Adaptation {
  return { kind: "REJECTED", field, message };
}

/** Reports a feature that Dragoman emulates or drops. The caller gets a warning, and the call continues. */
export function emulated(field: FieldPath, message: string): Adaptation {
  return { kind: "EMULATED", field, message };
}

/** Rejects a reasoning effort. `subject` names the model or provider in the error; `efforts` are those it supports. */
export function effortRejected(
  subject: string,
  efforts: readonly ReasoningEffort[],
  field: FieldPath = ["reasoning", "effort"],
): Adaptation {
  const words = efforts.map((effort) => ReasoningEffort[effort]?.toLowerCase()).join(", ");
  return rejected(field, `${subject} supports only the reasoning efforts ${words}`);
}

/**
 * Lowers a temperature above `most`, the API's maximum, to `most`. Does nothing for models whose own `maxTemperature`
 * is the same or lower: chat/planning/capabilities.ts enforces that limit.
 */
export function* temperatureLimit(
  { parameters }: ChatRequest,
  { maxTemperature = Number.POSITIVE_INFINITY }: Model,
  title: string,
  most: number,
): Generator<Adaptation> {
  if ((parameters?.temperature ?? 0) <= most || maxTemperature <= most) return;
  const message = `${title} supports temperatures up to ${most}`;
  yield { kind: "ADJUSTED", field: ["parameters", "temperature"], message, set: most };
}

/** Rejects media in tool results, for APIs that support only text there. */
export function* textResults(messages: readonly Message[], title: string): Generator<Adaptation> {
  if (!hasPart(messages, mayHaveMedia)) return;
  for (const placed of partsOf(messages)) {
    if (placed.part.kind.case !== "toolResult") continue;
    for (const { path } of mediaIn(placed)) yield rejected(path, `${title} supports only text in tool results`);
  }
}

/** Returns the index of the first system message after any other message; -1 if there is none. */
export function laterSystem(messages: readonly Message[]): number {
  const conversationStart = messages.findIndex((message) => !isSystem(message));
  return messages.findIndex(
    (message, index) => conversationStart >= 0 && index > conversationStart && isSystem(message),
  );
}

/** For each feature that an API may lack: yields the paths of its uses in a request. */
const uses = {
  name: ({ messages }) => messages.flatMap(({ name }, index) => (name === "" ? [] : [["messages", index, "name"]])),
  cacheHint({ messages, tools }) {
    const paths: FieldPath[] = [];
    tools.forEach(({ cacheHint }, index) => {
      if (cacheHint !== undefined) paths.push(["tools", index, "cache_hint"]);
    });
    if (!hasPart(messages, hasCacheHint)) return paths;
    for (const { part, path } of partsOf(messages))
      if (part.cacheHint !== undefined) paths.push([...path, "cache_hint"]);
    return paths;
  },
  detail: (request) => mediaFields(request, "detail", ({ detail }) => detail > MediaDetail.AUTO),
  filename: (request) => mediaFields(request, "filename", ({ filename }) => filename !== ""),
} as const satisfies Record<string, (request: ChatRequest) => readonly FieldPath[]>;

function mediaFields(
  { messages }: ChatRequest,
  field: "detail" | "filename",
  holds: (media: Media) => boolean,
): readonly FieldPath[] {
  if (!hasPart(messages, mayHaveMedia)) return [];
  return partsOf(messages)
    .flatMap(mediaIn)
    .filter(({ media }) => holds(media))
    .map(({ path }) => [...path, field])
    .toArray();
}

/** Maximum places at which one limitation is reported. */
const mostPlaces = 20;

/** Reports one limitation at its places. If there are too many, the last adaptation says how many more there are. */
export function atPlaces(adaptations: readonly Adaptation[]): readonly Adaptation[] {
  const more = adaptations.length - mostPlaces;
  const last = adaptations[mostPlaces - 1];
  if (more <= 0 || last === undefined) return adaptations;
  return [
    ...adaptations.slice(0, mostPlaces - 1),
    { ...last, message: `${last.message} (and at ${more} more places)` },
  ];
}

type Omission = keyof typeof uses;

const features = ["name", "cacheHint", "detail", "filename"] as const satisfies readonly Omission[];

/**
 * Reports features that a request uses, but that the API does not support and the adapter does not send. `sentences`
 * has a warning for each feature that the API does not support. There is a warning for each use.
 */
export function leftOut(
  request: ChatRequest,
  sentences: Readonly<Partial<Record<Omission, string>>>,
): readonly Adaptation[] {
  const found: Adaptation[] = [];
  for (const feature of features) {
    const sentence = sentences[feature];
    if (sentence === undefined) continue;
    append(found, atPlaces(uses[feature](request).map((path) => emulated(path, sentence))));
  }
  return found;
}

/** Reports the first reasoning part that the adapter does not send. Returns an empty list if it sends all of them. */
export function lostThought(
  messages: readonly Message[],
  isLost: (placed: PlacedPart) => boolean,
  sentence: string,
): readonly Adaptation[] {
  if (!hasPart(messages, ({ kind }) => kind.case === "reasoning")) return [];
  const lost = partsOf(messages).find((placed) => placed.part.kind.case === "reasoning" && isLost(placed));
  return lost === undefined ? [] : [emulated([...lost.path, "reasoning"], sentence)];
}
