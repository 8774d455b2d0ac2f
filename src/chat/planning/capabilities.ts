import { mostViolations } from "../../errors.ts";
import type { FieldPath } from "../../field-path.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Model, ModelCapabilities } from "../../gen/dragoman/v1/model_pb.js";
import type { OutputFormat } from "../../gen/dragoman/v1/output_format_pb.js";
import type { Adaptation } from "./adaptations.ts";
import { hasFunctions } from "./function-tools.ts";
import { type MediaKind, mediaKind } from "./media-kind.ts";
import { mediaIn, partsOf } from "./parts.ts";

/** Capability that some fields of a request need, and the adaptation of these fields for models without it. */
interface Need {
  readonly capability: Exclude<keyof ModelCapabilities, "$typeName" | "$unknown">;
  /** REJECTED if dropping the field would change the request too much. */
  readonly kind: "UNSUPPORTED_PARAMETER" | "REJECTED";
  /** Text of the warning or error after the model's id. */
  readonly lack: string;
  /** Returns the paths of the fields that need the capability. */
  readonly fields: (request: ChatRequest) => readonly FieldPath[];
}

const needs: readonly Need[] = [
  {
    capability: "imageInput",
    kind: "REJECTED",
    lack: "does not support image input",
    fields: (request) => mediaFields(request, "image"),
  },
  {
    capability: "audioInput",
    kind: "REJECTED",
    lack: "does not support audio input",
    fields: (request) => mediaFields(request, "audio"),
  },
  {
    capability: "documentInput",
    kind: "REJECTED",
    lack: "does not support document input",
    fields: (request) => mediaFields(request, "document"),
  },
  {
    capability: "tools",
    kind: "REJECTED",
    lack: "does not support tools",
    fields: (request) => when(hasFunctions(request), ["tools"]),
  },
  {
    capability: "parallelToolCalls",
    kind: "UNSUPPORTED_PARAMETER",
    lack: "does not support parallel tool calls",
    fields: ({ parallelToolCalls }) => when(parallelToolCalls, ["parallel_tool_calls"]),
  },
  {
    capability: "jsonObject",
    kind: "REJECTED",
    lack: "does not support JSON object output",
    fields: (request) => formatFields(request, "jsonObject", ["output_format", "json_object"]),
  },
  {
    capability: "regex",
    kind: "REJECTED",
    lack: "does not support regex output",
    fields: (request) => formatFields(request, "regex", ["output_format", "regex"]),
  },
  {
    capability: "reasoning",
    kind: "UNSUPPORTED_PARAMETER",
    lack: "does not support reasoning",
    fields: ({ reasoning }) => when(reasoning, ["reasoning"]),
  },
  {
    capability: "logprobs",
    kind: "UNSUPPORTED_PARAMETER",
    lack: "does not support log probabilities",
    // Drop both fields: most providers reject top_logprobs alone.
    fields: ({ parameters }) => [
      ...when(parameters?.logprobs, ["parameters", "logprobs"]),
      ...when(parameters?.topLogprobs, ["parameters", "top_logprobs"]),
    ],
  },
  {
    capability: "chatTemplate",
    kind: "REJECTED",
    lack: "does not support chat templates",
    fields: ({ chatTemplate }) => when(chatTemplate !== undefined, ["chat_template"]),
  },
];

/**
 * Returns the adaptations for fields that the model itself does not support, at any provider. Unknown capabilities and
 * limits cause no adaptations.
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
    const message = `${id} supports temperatures up to ${maxTemperature}`;
    yield { kind: "ADJUSTED", field: ["parameters", "temperature"], message, set: maxTemperature };
  }
  if (model.maxOutputTokens > 0 && maxOutputTokens > model.maxOutputTokens) {
    const message = `${id} supports at most ${model.maxOutputTokens} output tokens`;
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
    .map(({ path }) => path)
    .take(mostViolations)
    .toArray();
}
