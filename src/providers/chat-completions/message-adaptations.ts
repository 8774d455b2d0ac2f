import type { Adaptation } from "../../chat/planning/adaptations.ts";
import { partsOf } from "../../chat/planning/parts.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Media } from "../../gen/dragoman/v1/media_pb.js";
import { type Message, Role } from "../../gen/dragoman/v1/message_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { emulated, leftOut, lostThought, rejected, textResults } from "../kit/adaptations.ts";
import { bridgeAdaptations } from "../kit/mistral.ts";
import { conversationRulesOf } from "./conversation-rules.ts";
import { type MediaForm, mediaForm } from "./media.ts";
import type { Quirks } from "./quirks.ts";
import { replayedMedia } from "./replay-output.ts";

/** Reports what a server does not support in the messages. */
export function* messageAdaptations(request: ChatRequest, model: Model, quirks: Quirks): Generator<Adaptation> {
  const { title, reasoningReplay } = quirks;
  const rules = conversationRulesOf(model);
  yield* outputAdaptations(request, quirks);
  for (const { part, path, message } of partsOf(request.messages)) {
    if (part.kind.case === "media" && message.role !== Role.ASSISTANT) {
      const problem = mediaProblem(part.kind.value, quirks);
      if (problem !== undefined) yield rejected([...path, "media"], problem);
    }
  }
  yield* textResults(request.messages, title);
  if (quirks.cacheMarks) {
    yield* joinedHints(request.messages, title);
  } else {
    yield* leftOut(request, { cacheHint: `${title} caches prompts automatically; cache hints are dropped` });
  }
  const named = request.messages.findIndex(({ role, name }) => role === Role.TOOL && name !== "");
  if (named >= 0) yield emulated(["messages", named, "name"], `${title} does not support a name on tool messages`);
  const isLost = reasoningReplay === undefined && rules.reasoning === undefined;
  yield* lostThought(
    request.messages,
    () => isLost,
    `${title} does not accept reasoning from this turn; it is dropped`,
  );
  if (rules.answersResults) yield* bridgeAdaptations(request.messages);
}

/** Reports media of earlier responses that the adapter sends as text, or not at all. */
function* outputAdaptations({ messages }: ChatRequest, quirks: Quirks): Generator<Adaptation> {
  for (const { part, path, message } of partsOf(messages)) {
    if (part.kind.case !== "media" || message.role !== Role.ASSISTANT) continue;
    const sent = replayedMedia(part, quirks);
    if (sent === undefined) {
      const problem = `${quirks.title} does not accept this output of the model back; it is not sent`;
      yield { kind: "LEFT_OUT", field: path, message: problem };
    } else if ("text" in sent) {
      yield emulated(path, `${quirks.title} does not have this audio any more; the transcript is sent`);
    }
  }
}

/** Reports the first message with several cache hints: the server supports one prompt cache breakpoint per message. */
function* joinedHints(messages: readonly Message[], title: string): Generator<Adaptation> {
  const hinted = partsOf(messages)
    .filter(({ part }) => part.cacheHint !== undefined)
    .toArray();
  const joined = hinted.find(({ index }, place) => hinted[place + 1]?.index === index);
  if (joined === undefined) return;
  yield emulated(
    [...joined.path, "cache_hint"],
    `${title} supports one cache hint per message; only the last one is kept`,
  );
}

const lacks = {
  image: "does not support images",
  image_url: "does not support image URLs; send the image as bytes",
  audio: "does not support audio",
  file: "does not support documents",
  file_id: "has no files by their id",
} as const satisfies Record<MediaForm, string>;

function mediaProblem(given: Media, { title, media }: Quirks): string | undefined {
  const form = mediaForm(given);
  if (form === "other") {
    return `${title} does not support this media; send an image as bytes or http URL, or WAV, MP3 or PDF as bytes`;
  }
  return media.includes(form) ? undefined : `${title} ${lacks[form]}`;
}
