import type { Adaptation } from "../../chat/planning/adaptations.ts";
import { mediaKind } from "../../chat/planning/media-kind.ts";
import { partsOf } from "../../chat/planning/parts.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import { type Media, type Message, Role } from "../../gen/dragoman/v1/message_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { ReasoningEffort } from "../../gen/dragoman/v1/reasoning_pb.js";
import { checkSupport as openAiAdaptations } from "../chat-completions/adaptations.ts";
import { effortOf } from "../chat-completions/fields.ts";
import {
  effortRejected,
  emulated,
  leftOut,
  lostThought,
  rejected,
  temperatureLimit,
  textResults,
  unsupported,
} from "../kit/adaptations.ts";
import { reasoningFilter } from "./messages.ts";
import { mistralQuirks } from "./quirks.ts";

/** Higher ones are a 400 by the error glossary of docs.mistral.ai. */
const maxTemperature = 1;

const { NONE, LOW, MEDIUM, HIGH, MAX } = ReasoningEffort;

// By the model's name, the first that fits; no efforts: it does not reason. Models that are not here may take any.
// Source: the model catalog of @ai-sdk/mistral 4.0.87.
const efforts: readonly (readonly [RegExp, readonly ReasoningEffort[]])[] = [
  [/^(codestral|ministral|mistral-code|voxtral|mistral-large-(latest|2512))/, []],
  [/^mistral-large-4/, [LOW, MEDIUM, HIGH]],
  [/^(zai-)?glm-5-2/, [NONE, HIGH]],
  [/^zai-glm/, [LOW, HIGH, MAX]],
  [/^(magistral|mistral-(small|medium|vibe)|labs-leanstral)/, [NONE, HIGH]],
];

/** What this model cannot do of what the request asks. */
export function checkSupport(request: ChatRequest, model: Model): readonly Adaptation[] {
  return [
    ...openAiAdaptations({ ...request, messages: [] }, model, mistralQuirks),
    ...temperatureLimit(request, model, "Mistral", maxTemperature),
    ...effortAdaptations(request, model),
    ...mediaAdaptations(request),
    ...messageAdaptations(request, model),
  ];
}

function* effortAdaptations(request: ChatRequest, { providerModel, capabilities }: Model): Generator<Adaptation> {
  const asked = effortOf(request);
  const taken = efforts.find(([pattern]) => pattern.test(providerModel))?.[1];
  if (asked === undefined || taken === undefined || taken.includes(asked) || capabilities?.reasoning === false) return;
  const subject = `the model ${providerModel}`;
  yield taken.length === 0
    ? unsupported(["reasoning", "effort"], `${subject} takes no reasoning effort`)
    : effortRejected(subject, taken);
}

function* mediaAdaptations({ messages }: ChatRequest): Generator<Adaptation> {
  for (const { part, path } of partsOf(messages)) {
    const { kind } = part;
    if (kind.case === "media" && !isTaken(kind.value)) {
      const message =
        "Mistral does not take this: send an image or a PDF as bytes or by http address, or a sound as bytes";
      yield rejected([...path, "media"], message);
    }
  }
  yield* textResults(messages, "Mistral");
}

function isTaken(media: Media): boolean {
  const { source, mediaType } = media;
  const kind = mediaKind(media);
  if (source.case === "url") {
    return /^https?:/i.test(source.value) && (kind === "image" || kind === "document" || kind === undefined);
  }
  return kind === "image" || kind === "audio" || mediaType === "application/pdf";
}

/** What of the messages is not sent, or sent otherwise. */
function* messageAdaptations(request: ChatRequest, model: Model): Generator<Adaptation> {
  const { messages } = request;
  // The hints on tools are told with the fields that are OpenAI's.
  yield* leftOut(
    { ...request, tools: [] },
    {
      name: "Mistral has no names of participants: they are left out",
      cacheHint: "Mistral caches prompts without being asked: cache hints are left out",
    },
  );
  if (request.reasoning?.clearEarlierReasoning !== true) {
    const keepsReasoning = reasoningFilter(request, model);
    const sentence = `${model.id} does not reason: the reasoning of earlier turns is left out`;
    yield* lostThought(messages, ({ index }) => !keepsReasoning(index), sentence);
  }
  const isOutOfOrder = ({ role }: Message, index: number) =>
    role !== Role.TOOL && role !== Role.ASSISTANT && messages[index - 1]?.role === Role.TOOL;
  const outOfOrder = messages.findIndex(isOutOfOrder);
  if (outOfOrder < 0) return;
  const message = "Mistral wants the assistant to speak after a tool: a message that says OK is put between";
  yield emulated(["messages", outOfOrder, "role"], message);
}
