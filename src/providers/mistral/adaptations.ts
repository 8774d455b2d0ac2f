import type { Adaptation } from "../../chat/planning/adaptations.ts";
import { mediaKind } from "../../chat/planning/media-kind.ts";
import { partsOf } from "../../chat/planning/parts.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Media } from "../../gen/dragoman/v1/media_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { ReasoningEffort } from "../../gen/dragoman/v1/reasoning_pb.js";
import { type FamilyRules, rulesFor } from "../../models/family-rules.ts";
import { checkSupport as openAiAdaptations } from "../chat-completions/adaptations.ts";
import { effortOf } from "../chat-completions/fields.ts";
import {
  effortRejected,
  leftOut,
  lostThought,
  rejected,
  temperatureLimit,
  textResults,
  unsupported,
} from "../kit/adaptations.ts";
import { lostCitations } from "../kit/citations.ts";
import { bridgeAdaptations } from "../kit/mistral.ts";
import { reasoningFilter } from "./messages.ts";
import { mistralQuirks } from "./quirks.ts";

/** Mistral returns 400 for higher temperatures, according to the error glossary of docs.mistral.ai. */
const maxTemperature = 1;

const { NONE, LOW, MEDIUM, HIGH, MAX } = ReasoningEffort;

/** Supported reasoning efforts; an empty list if the model supports none. Dragoman does not check other models. */
export const mistralEfforts: FamilyRules<readonly ReasoningEffort[]> = {
  about: "reasoning efforts of Mistral's models",
  sources: [{ from: "model catalog of @ai-sdk/mistral 4.0.87", read: "2026-11-28" }],
  families: [
    { pattern: /^(?:codestral|ministral|mistral-code|voxtral)/, versions: [["1", []]] },
    // An alias of Mistral Large 3, and the dates of older models.
    { pattern: /^mistral-large-(?:latest|\d{4})/, versions: [["3", []]] },
    { pattern: /^mistral-large/, versions: [["4", [LOW, MEDIUM, HIGH]]] },
    { pattern: /^(?:zai-)?glm-5-2/, versions: [["5.2", [NONE, HIGH]]] },
    { pattern: /^zai-glm/, versions: [["5.3", [LOW, HIGH, MAX]]] },
    { pattern: /^(?:magistral|mistral-(?:small|medium|vibe)|labs-leanstral)/, versions: [["1", [NONE, HIGH]]] },
  ],
};

/** Reports what the model or Mistral does not support in the request. */
export function checkSupport(request: ChatRequest, model: Model): readonly Adaptation[] {
  return [
    ...openAiAdaptations({ ...request, messages: [] }, model, mistralQuirks),
    ...temperatureLimit(request, model, "Mistral", maxTemperature),
    ...effortAdaptations(request, model),
    ...mediaAdaptations(request),
    ...messageAdaptations(request, model),
  ];
}

function* effortAdaptations(
  request: ChatRequest,
  { providerModel, capabilities, reasoningEfforts }: Model,
): Generator<Adaptation> {
  const requested = effortOf(request);
  const supported = rulesFor(mistralEfforts, providerModel);
  if (
    requested === undefined ||
    reasoningEfforts.length > 0 ||
    supported === undefined ||
    supported.includes(requested)
  )
    return;
  if (capabilities?.reasoning === false) return;
  const subject = `the model ${providerModel}`;
  yield supported.length === 0
    ? unsupported(["reasoning", "effort"], `${subject} does not support reasoning efforts`)
    : effortRejected(subject, supported);
}

function* mediaAdaptations({ messages }: ChatRequest): Generator<Adaptation> {
  for (const { part, path } of partsOf(messages)) {
    const { kind } = part;
    if (kind.case === "media" && !isSupported(kind.value)) {
      const message =
        "Mistral does not support this media; send an image or PDF as bytes or http URL, or audio as bytes";
      yield rejected([...path, "media"], message);
    }
  }
  yield* textResults(messages, "Mistral");
  yield* lostCitations(messages, "Mistral");
}

function isSupported(media: Media): boolean {
  const { source, mediaType } = media;
  if (source.case === "fileId") return true;
  const kind = mediaKind(media);
  if (source.case === "url") {
    return /^https?:/i.test(source.value) && (kind === "image" || kind === "document" || kind === undefined);
  }
  return kind === "image" || kind === "audio" || mediaType === "application/pdf";
}

/** Reports what the adapter drops or changes in the messages. */
function* messageAdaptations(request: ChatRequest, model: Model): Generator<Adaptation> {
  const { messages } = request;
  // Omit the tools: `openAiAdaptations` reports their cache hints.
  yield* leftOut(
    { ...request, tools: [] },
    {
      name: "Mistral does not support participant names; they are dropped",
      cacheHint: "Mistral caches prompts automatically; cache hints are dropped",
    },
  );
  if (request.reasoning?.clearEarlierReasoning !== true) {
    const keepsReasoning = reasoningFilter(request, model);
    const sentence = `${model.id} does not reason; the reasoning of earlier turns is dropped`;
    yield* lostThought(messages, ({ index }) => !keepsReasoning(index), sentence);
  }
  yield* bridgeAdaptations(messages);
}
