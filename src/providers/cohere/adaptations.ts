import type { Adaptation } from "../../chat/planning/adaptations.ts";
import { mediaKind } from "../../chat/planning/media-kind.ts";
import { partsOf } from "../../chat/planning/parts.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Media } from "../../gen/dragoman/v1/message_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { ReasoningEffort } from "../../gen/dragoman/v1/reasoning_pb.js";
import {
  effortOf,
  isNeutral,
  type OptionalField,
  optionalFieldNames,
  optionalFields,
  pathOf,
} from "../chat-completions/fields.ts";
import { emulated, leftOut, lostThought, rejected, textResults, unsupported } from "../kit/adaptations.ts";
import { maxStopSequences, ranges } from "./fields.ts";
import { takesThoughts } from "./messages.ts";
import { wireName } from "./request.ts";

/** What Cohere cannot do of what the request asks. */
export function checkSupport(request: ChatRequest, model: Model): readonly Adaptation[] {
  return [
    ...fieldAdaptations(request, model),
    ...reasoningAdaptations(request),
    ...formAdaptations(request),
    ...toolAdaptations(request),
    ...messageAdaptations(request, model),
  ];
}

/** Fields that have a form of their own here, or that the service does itself. */
const elsewhere: ReadonlySet<OptionalField> = new Set([
  "parameters.n",
  "reasoning.effort",
  "reasoning.budget_tokens",
] satisfies OptionalField[]);

function* fieldAdaptations(request: ChatRequest, model: Model): Generator<Adaptation> {
  const { parameters } = request;
  for (const field of optionalFieldNames) {
    const value = optionalFields[field].value(request);
    if (value === undefined || elsewhere.has(field)) continue;
    if (wireName(field) !== undefined) yield* rangeAdaptations(field, value, model);
    else if (!isNeutral(field, value)) yield unsupported(pathOf(field), `Cohere does not take ${field}`);
  }
  if (parameters?.seed?.startsWith("-")) {
    yield unsupported(["parameters", "seed"], "Cohere takes only seeds of at least 0");
  }
  if ((parameters?.stopSequences.length ?? 0) > maxStopSequences) {
    yield rejected(["parameters", "stop_sequences"], `Cohere takes at most ${maxStopSequences} stop sequences`);
  }
}

function* rangeAdaptations(field: OptionalField, value: unknown, model: Model): Generator<Adaptation> {
  const known: Partial<Record<OptionalField, readonly [number, number]>> = ranges;
  const [least, greatest] = known[field] ?? [];
  if (least === undefined || greatest === undefined || typeof value !== "number") return;
  // A model that states its own limit is held to it elsewhere.
  if (field === "parameters.temperature" && model.maxTemperature !== undefined) return;
  // -1 is another word for off.
  if (field === "parameters.top_k" && isNeutral(field, value)) return;
  const set = Math.min(Math.max(value, least), greatest);
  const message = `Cohere takes ${field} from ${least} to ${greatest}`;
  if (set !== value) yield { kind: "ADJUSTED", field: pathOf(field), message, set };
}

function* reasoningAdaptations(request: ChatRequest): Generator<Adaptation> {
  const effort = effortOf(request);
  if (effort !== undefined && effort !== ReasoningEffort.NONE) {
    yield emulated(["reasoning", "effort"], "Cohere has no reasoning efforts, only on and off: reasoning is turned on");
  }
}

function* formAdaptations({ outputFormat, tools }: ChatRequest): Generator<Adaptation> {
  const format = outputFormat?.format.case;
  if (format === "regex") {
    yield rejected(["output_format", "regex"], "Cohere cannot fit its answer to a regular expression");
  } else if (tools.length > 0 && format === "jsonObject") {
    yield rejected(["output_format", "json_object"], "Cohere gives no JSON answers while there are tools");
  } else if (tools.length > 0 && format === "jsonSchema") {
    yield rejected(["output_format", "json_schema"], "Cohere gives no JSON answers while there are tools");
  }
}

function* toolAdaptations({ tools, toolChoice }: ChatRequest): Generator<Adaptation> {
  if (toolChoice?.choice.case === "toolName") {
    const message = "Cohere cannot be told which tool to call: only that tool is offered, and one must be called";
    yield emulated(["tool_choice", "tool_name"], message);
  }
  if (tools.some(({ strict }) => strict === true) && tools.some(({ strict }) => strict !== true)) {
    yield emulated(["tools"], "Cohere is strict with all tools or with none: it is with all");
  }
}

function* messageAdaptations(request: ChatRequest, model: Model): Generator<Adaptation> {
  const { messages } = request;
  for (const { part, path } of partsOf(messages)) {
    const { kind } = part;
    if (kind.case === "media" && !isImage(kind.value)) {
      yield rejected([...path, "media"], "Cohere takes only images, as bytes or by http address");
    }
  }
  yield* textResults(messages, "Cohere");
  yield* leftOut(request, {
    name: "Cohere has no names of participants: they are left out",
    cacheHint: "Cohere caches prompts without being asked: cache hints are left out",
  });
  if (takesThoughts(request, model)) return;
  const sentence = `${model.id} does not reason here: the reasoning of earlier turns is left out`;
  // With calls of tools it goes out as the plan.
  yield* lostThought(messages, ({ message }) => !message.parts.some(({ kind }) => kind.case === "toolCall"), sentence);
}

function isImage(media: Media): boolean {
  const kind = mediaKind(media);
  if (media.source.case === "data") return kind === "image";
  return /^https?:/i.test(media.source.value ?? "") && (kind === "image" || kind === undefined);
}
