import type { Adaptation } from "../../chat/planning/adaptations.ts";
import { hasPart, partsOf } from "../../chat/planning/parts.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Media } from "../../gen/dragoman/v1/media_pb.js";
import { type Part, Role } from "../../gen/dragoman/v1/message_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { emulated, leftOut, lostThought, rejected, textResults } from "../kit/adaptations.ts";
import { hintAdaptations as keptAdaptations } from "../kit/cache-hints.ts";
import { bridgeAdaptations } from "../kit/mistral.ts";
import { hintRules } from "./cache-marks.ts";
import { conversationRulesOf } from "./conversation-rules.ts";
import { type MediaForm, mediaForm } from "./media.ts";
import type { Quirks } from "./quirks.ts";
import { replayedMedia } from "./replay-output.ts";

/** Reports what a server does not support in the messages. */
export function* messageAdaptations(request: ChatRequest, model: Model, quirks: Quirks): Generator<Adaptation> {
  const { title, reasoningReplay } = quirks;
  const rules = conversationRulesOf(model);
  if (hasPart(request.messages, isMedia)) yield* mediaAdaptations(request, quirks);
  yield* textResults(request.messages, title);
  yield* hintAdaptations(request, model, quirks);
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

function isMedia({ kind }: Part): boolean {
  return kind.case === "media";
}

function* mediaAdaptations(request: ChatRequest, quirks: Quirks): Generator<Adaptation> {
  yield* outputAdaptations(request, quirks);
  for (const { part, path, message } of partsOf(request.messages)) {
    if (part.kind.case === "media" && message.role !== Role.ASSISTANT) {
      const problem = mediaProblem(part.kind.value, quirks);
      if (problem !== undefined) yield rejected([...path, "media"], problem);
    }
  }
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

function* hintAdaptations(
  request: ChatRequest,
  { providerModel }: Model,
  { title, cacheMarks }: Quirks,
): Generator<Adaptation> {
  const marks = cacheMarks(providerModel);
  if (marks === undefined) {
    yield* leftOut(request, { cacheHint: `${title} has no cache hints for this model; they are dropped` });
    return;
  }
  yield* keptAdaptations(request, hintRules(marks, title));
}

const lacks = {
  image: "does not support images",
  image_url: "does not support image URLs; send the image as bytes",
  audio: "does not support audio",
  other_audio: "does not support audio of this format",
  file: "does not support documents",
  file_id: "has no files by their id",
  file_url: "does not support document URLs; send the document as bytes",
  video: "does not support videos",
  video_url: "does not support video URLs",
} as const satisfies Record<MediaForm, string>;

function mediaProblem(given: Media, { title, media }: Quirks): string | undefined {
  const form = mediaForm(given);
  if (form === "other") {
    return `${title} does not support this media; send an image, a video or a PDF as bytes or http URL, or audio as bytes`;
  }
  return media.includes(form) ? undefined : `${title} ${lacks[form]}`;
}
