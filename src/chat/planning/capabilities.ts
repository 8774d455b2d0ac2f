import type { FieldPath } from "../../field-path.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Model, ModelCapabilities } from "../../gen/dragoman/v1/model_pb.js";
import type { OutputFormat } from "../../gen/dragoman/v1/output_format_pb.js";
import type { Adaptation } from "./adaptations.ts";
import { type MediaKind, mediaKind } from "./media-kind.ts";
import { mediaIn, partsOf } from "./parts.ts";

/** What a request may need of a model, and what becomes of it where the model lacks it. */
interface Need {
  readonly capability: Exclude<keyof ModelCapabilities, "$typeName" | "$unknown">;
  /** What leaving it out would change too much is rejected. */
  readonly kind: "UNSUPPORTED_PARAMETER" | "REJECTED";
  /** Completes "the model …". */
  readonly lack: string;
  /** Paths of the fields that need it. */
  readonly fields: (request: ChatRequest) => readonly FieldPath[];
}

const needs: readonly Need[] = [
  {
    capability: "imageInput",
    kind: "REJECTED",
    lack: "does not take images",
    fields: (request) => mediaFields(request, "image"),
  },
  {
    capability: "audioInput",
    kind: "REJECTED",
    lack: "does not take sounds",
    fields: (request) => mediaFields(request, "audio"),
  },
  {
    capability: "documentInput",
    kind: "REJECTED",
    lack: "does not take documents",
    fields: (request) => mediaFields(request, "document"),
  },
  {
    capability: "tools",
    kind: "REJECTED",
    lack: "does not call tools",
    fields: ({ tools }) => when(tools.length > 0, ["tools"]),
  },
  {
    capability: "parallelToolCalls",
    kind: "UNSUPPORTED_PARAMETER",
    lack: "calls one tool at a time",
    fields: ({ parallelToolCalls }) => when(parallelToolCalls, ["parallel_tool_calls"]),
  },
  {
    capability: "jsonObject",
    kind: "REJECTED",
    lack: "does not guarantee a JSON object",
    fields: (request) => formatFields(request, "jsonObject", ["output_format", "json_object"]),
  },
  {
    capability: "regex",
    kind: "REJECTED",
    lack: "does not fit its answer to a regular expression",
    fields: (request) => formatFields(request, "regex", ["output_format", "regex"]),
  },
  {
    capability: "reasoning",
    kind: "UNSUPPORTED_PARAMETER",
    lack: "does not reason",
    fields: ({ reasoning }) => when(reasoning, ["reasoning"]),
  },
  {
    capability: "logprobs",
    kind: "UNSUPPORTED_PARAMETER",
    lack: "does not return log probabilities",
    // Both or none: top_logprobs alone would be an invalid request to most providers.
    fields: ({ parameters }) => [
      ...when(parameters?.logprobs, ["parameters", "logprobs"]),
      ...when(parameters?.topLogprobs, ["parameters", "top_logprobs"]),
    ],
  },
  {
    capability: "chatTemplate",
    kind: "REJECTED",
    lack: "does not take a chat template",
    fields: ({ chatTemplate }) => when(chatTemplate !== undefined, ["chat_template"]),
  },
];

/**
 * What a model, whichever way it is spoken to, cannot do of what a request asks. Capabilities and limits that are
 * unknown limit nothing.
 */
export function capabilityAdaptations(request: ChatRequest, model: Model): readonly Adaptation[] {
  const found = [...ceilings(request, model)];
  for (const { capability, kind, lack, fields } of needs) {
    if (model.capabilities?.[capability] !== false) continue;
    for (const field of fields(request)) found.push({ kind, field, message: `${model.id} ${lack}` });
  }
  return found;
}

function* ceilings({ parameters }: ChatRequest, model: Model): Generator<Adaptation> {
  const { temperature = 0, maxOutputTokens = 0 } = parameters ?? {};
  const { id, maxTemperature } = model;
  if (maxTemperature !== undefined && temperature > maxTemperature) {
    const message = `${id} takes a temperature of at most ${maxTemperature}`;
    yield { kind: "ADJUSTED", field: ["parameters", "temperature"], message, set: maxTemperature };
  }
  if (model.maxOutputTokens > 0 && maxOutputTokens > model.maxOutputTokens) {
    const message = `${id} gives at most ${model.maxOutputTokens} tokens`;
    yield { kind: "ADJUSTED", field: ["parameters", "max_output_tokens"], message, set: model.maxOutputTokens };
  }
}

function when(needed: unknown, field: FieldPath): readonly FieldPath[] {
  return needed ? [field] : [];
}

function formatFields({ outputFormat }: ChatRequest, format: OutputFormat["format"]["case"], field: FieldPath) {
  return when(outputFormat?.format.case === format, field);
}

function mediaFields({ messages }: ChatRequest, kind: MediaKind): readonly FieldPath[] {
  return partsOf(messages)
    .flatMap(mediaIn)
    .filter(({ media }) => mediaKind(media) === kind)
    .map(({ path }) => path);
}
