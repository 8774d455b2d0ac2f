import type { Adaptation } from "../../chat/planning/adaptations.ts";
import { hasFunctions } from "../../chat/planning/function-tools.ts";
import { mediaKind } from "../../chat/planning/media-kind.ts";
import { partsOf } from "../../chat/planning/parts.ts";
import { seedOf, seedPath } from "../../chat/planning/seed.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Media } from "../../gen/dragoman/v1/media_pb.js";
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
import { lostCitations } from "../kit/citations.ts";
import { documentAdaptations, isTextDocument } from "./documents.ts";
import { ranges } from "./fields.ts";
import { takesThoughts } from "./messages.ts";
import { offeredTools, wireName } from "./request.ts";

/** Reports what the model or Cohere does not support in the request. */
export function checkSupport(request: ChatRequest, model: Model): readonly Adaptation[] {
  return [
    ...fieldAdaptations(request, model),
    ...reasoningAdaptations(request),
    ...formAdaptations(request),
    ...toolAdaptations(request),
    ...messageAdaptations(request, model),
  ];
}

/** Fields that `fieldAdaptations` skips: request.ts converts them, or Dragoman sends one request per choice (`n`). */
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
    else if (!isNeutral(field, value)) yield unsupported(pathOf(field, request), `Cohere does not support ${field}`);
  }
  if ((seedOf(parameters) ?? 0n) < 0n) {
    yield unsupported(seedPath(parameters), "Cohere does not support negative seeds");
  }
}

function* rangeAdaptations(field: OptionalField, value: unknown, model: Model): Generator<Adaptation> {
  const known: Partial<Record<OptionalField, readonly [number, number]>> = ranges;
  const [least, greatest] = known[field] ?? [];
  if (least === undefined || greatest === undefined || typeof value !== "number") return;
  // For models with their own maximum temperature, chat/planning/capabilities.ts enforces that limit.
  if (field === "parameters.temperature" && model.maxTemperature !== undefined) return;
  // 0 and -1 both turn top_k off; the adapter sends 0 for both.
  if (field === "parameters.top_k" && isNeutral(field, value)) return;
  const set = Math.min(Math.max(value, least), greatest);
  const message = `Cohere supports ${field} from ${least} to ${greatest}`;
  if (set !== value) yield { kind: "ADJUSTED", field: pathOf(field, {}), message, set };
}

function* reasoningAdaptations(request: ChatRequest): Generator<Adaptation> {
  const effort = effortOf(request);
  if (effort !== undefined && effort !== ReasoningEffort.NONE) {
    yield emulated(["reasoning", "effort"], "Cohere does not support reasoning efforts; reasoning is turned on");
  }
}

function* formAdaptations({ outputFormat, tools }: ChatRequest): Generator<Adaptation> {
  const format = outputFormat?.format.case;
  if (format === "regex") {
    yield rejected(["output_format", "regex"], "Cohere does not support regex output");
  } else if (hasFunctions({ tools }) && format === "jsonObject") {
    yield rejected(["output_format", "json_object"], "Cohere does not support JSON output together with tools");
  } else if (hasFunctions({ tools }) && format === "jsonSchema") {
    yield rejected(["output_format", "json_schema"], "Cohere does not support JSON output together with tools");
  }
}

function* toolAdaptations(request: ChatRequest): Generator<Adaptation> {
  const { toolChoice } = request;
  const tools = offeredTools(request);
  if (toolChoice?.choice.case === "toolName") {
    const message =
      "Cohere does not support a named tool choice; only the named tool is sent, with tool choice REQUIRED";
    yield emulated(["tool_choice", "tool_name"], message);
  }
  if (tools.some(({ strict }) => strict === true) && tools.some(({ strict }) => strict !== true)) {
    yield emulated(["tools"], "Cohere supports strict only for all tools or none; Dragoman makes all tools strict");
  }
}

function* messageAdaptations(request: ChatRequest, model: Model): Generator<Adaptation> {
  const { messages } = request;
  for (const { part, path } of partsOf(messages)) {
    const { kind } = part;
    if (kind.case === "media" && !isImage(kind.value) && !isTextDocument(kind.value)) {
      const message = "Cohere supports only images, as bytes or http URL, and text documents as bytes";
      yield rejected([...path, "media"], message);
    }
  }
  yield* documentAdaptations(request);
  yield* textResults(messages, "Cohere");
  yield* lostCitations(messages, "Cohere");
  yield* leftOut(request, {
    name: "Cohere does not support participant names; they are dropped",
    cacheHint: "Cohere caches prompts automatically; cache hints are dropped",
  });
  if (takesThoughts(request, model)) return;
  const sentence = `${model.id} does not reason in this call; the reasoning of earlier turns is dropped`;
  // Reasoning in a message with tool calls is not lost: the adapter sends it as `tool_plan`.
  yield* lostThought(messages, ({ message }) => !message.parts.some(({ kind }) => kind.case === "toolCall"), sentence);
}

function isImage(media: Media): boolean {
  const kind = mediaKind(media);
  if (media.source.case === "data") return kind === "image";
  return /^https?:/i.test(media.source.value ?? "") && (kind === "image" || kind === undefined);
}
