import type { Adaptation } from "../../chat/planning/adaptations.ts";
import { type PlacedPart, partsOf } from "../../chat/planning/parts.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import { type Media, type Message, Role } from "../../gen/dragoman/v1/message_pb.js";
import { emulated, leftOut, lostThought, rejected, textResults } from "../kit/adaptations.ts";
import { type MediaForm, mediaForm } from "./media.ts";
import type { Quirks } from "./quirks.ts";

/** What a server cannot take of a conversation. */
export function* messageAdaptations(request: ChatRequest, quirks: Quirks): Generator<Adaptation> {
  const { title, reasoningReplay } = quirks;
  for (const { part, path } of partsOf(request.messages)) {
    if (part.kind.case === "media") {
      const message = mediaProblem(part.kind.value, quirks);
      if (message !== undefined) yield rejected([...path, "media"], message);
    }
  }
  yield* textResults(request.messages, title);
  if (quirks.cacheMarks) {
    yield* joinedHints(request.messages, title);
  } else {
    yield* leftOut(request, { cacheHint: `${title} caches prompts without being asked: cache hints are left out` });
  }
  const named = request.messages.findIndex(({ role, name }) => role === Role.TOOL && name !== "");
  if (named >= 0) yield emulated(["messages", named, "name"], `${title} takes no name beside the result of a tool`);
  const isLost = ({ message }: PlacedPart) =>
    reasoningReplay === undefined ||
    (reasoningReplay === "reasoning_content with calls" && !message.parts.some(({ kind }) => kind.case === "toolCall"));
  yield* lostThought(request.messages, isLost, `${title} takes no reasoning of such earlier turns: it is left out`);
}

/** The first cache hint of a message that has another one: the message as a whole gets one mark. */
function* joinedHints(messages: readonly Message[], title: string): Generator<Adaptation> {
  const hinted = partsOf(messages).filter(({ part }) => part.cacheHint !== undefined);
  const joined = hinted.find(({ index }, place) => hinted[place + 1]?.index === index);
  if (joined === undefined) return;
  yield emulated(
    [...joined.path, "cache_hint"],
    `${title} takes one cache hint for each message: the last one is kept`,
  );
}

const lacks = {
  image: "takes no images",
  image_url: "takes no images by address",
  audio: "takes no sounds",
  file: "takes no documents",
} as const satisfies Record<MediaForm, string>;

function mediaProblem(given: Media, { title, media }: Quirks): string | undefined {
  const form = mediaForm(given);
  if (form === "other") {
    return `${title} does not take this: send an image as bytes or by http address, a WAV or MP3 sound or a PDF as bytes`;
  }
  return media.includes(form) ? undefined : `${title} ${lacks[form]}`;
}
