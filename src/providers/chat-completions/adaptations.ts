import type { Adaptation } from "../../chat/planning/adaptations.ts";
import { hasFunctions } from "../../chat/planning/function-tools.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { ReasoningEffort } from "../../gen/dragoman/v1/reasoning_pb.js";
import { ToolChoiceMode } from "../../gen/dragoman/v1/tool_pb.js";
import { effortRejected, emulated, rejected, unsupported } from "../kit/adaptations.ts";
import { askedFields, effortOf, type OptionalField, pathOf } from "./fields.ts";
import { messageAdaptations } from "./message-adaptations.ts";
import { modalityAdaptations } from "./output-modalities.ts";
import type { FieldForm, Quirks } from "./quirks.ts";
import { type ReasoningModel, reasoningModel, takesField } from "./reasoning-models.ts";

/** OpenAI's maximum length of `safety_identifier`, in characters. */
export const safetyIdentifierLimit = 128;

/** OpenAI's rules for a reasoning model. Null: the model does not reason. Undefined: OpenAI's rules do not apply. */
export type ModelRules = ReasoningModel | null | undefined;

export function rulesFor(model: Model, quirks: Quirks): ModelRules {
  const name = quirks.openAiModel?.(model.providerModel);
  const rules = name === undefined ? undefined : reasoningModel(name, model);
  return rules && !quirks.effortForTools && rules.toolsAt !== "never" ? { ...rules, toolsAt: "any" } : rules;
}

/** Returns the effort to send: the caller's; NONE if there are tools and the model rejects them at other efforts. */
export function sentEffort(request: ChatRequest, rules: ModelRules): ReasoningEffort | undefined {
  const requested = effortOf(request);
  const needsNone = rules?.toolsAt === "none" || (rules?.toolsAt === "none by default" && requested !== undefined);
  return needsNone && hasFunctions(request) ? ReasoningEffort.NONE : requested;
}

/** Returns how to write a field for the server. Undefined if the model or the server does not support the field. */
export function wireForm(
  field: OptionalField,
  request: ChatRequest,
  rules: ModelRules,
  quirks: Quirks,
): FieldForm | undefined {
  if (rules === null && field === "reasoning.effort") return undefined;
  return rules && !takesField(rules, field, sentEffort(request, rules)) ? undefined : quirks.fields[field];
}

/** Reports what the model or the server does not support in the request. */
export function checkSupport(request: ChatRequest, model: Model, quirks: Quirks): readonly Adaptation[] {
  const rules = rulesFor(model, quirks);
  const { tools, toolChoice, outputFormat, responseModalities, audioOutput } = request;
  // Most requests have none of these fields, and a generator costs as much as the checks of a short request.
  return [
    ...fieldAdaptations(request, model, quirks, rules),
    ...(tools.length > 0 || request.reasoning ? effortAdaptations(request, model, quirks, rules) : []),
    ...(outputFormat ? formAdaptations(request, quirks) : []),
    ...(tools.length > 0 || toolChoice ? toolAdaptations(request, model, quirks, rules) : []),
    ...(responseModalities.length > 0 || audioOutput ? modalityAdaptations(request, quirks) : []),
    ...messageAdaptations(request, model, quirks),
    ...(quirks.adaptations?.(request, model) ?? []),
  ];
}

function* fieldAdaptations(
  request: ChatRequest,
  { providerModel }: Model,
  quirks: Quirks,
  rules: ModelRules,
): Generator<Adaptation> {
  const { fields, maximums, title } = quirks;
  for (const [field, value] of askedFields(request)) {
    // If the server does not support n, Dragoman sends one request per choice: see `Adapter.maxChoices`.
    if (field === "parameters.n") continue;
    const maximum = maximums[field];
    if (wireForm(field, request, rules, quirks) === undefined) {
      const subject = fields[field] === undefined ? title : `the model ${providerModel}`;
      yield unsupported(pathOf(field, request), `${subject} does not support ${field}`);
    } else if (maximum !== undefined && typeof value === "number" && value > maximum) {
      const message = `${title} supports ${field} up to ${maximum}`;
      yield { kind: "ADJUSTED", field: pathOf(field, request), message, set: maximum };
    }
  }
  if (fields.user === "safety_identifier" && request.user.length > safetyIdentifierLimit) {
    yield unsupported(["user"], `${title} supports at most ${safetyIdentifierLimit} characters in user`);
  }
}

function* effortAdaptations(
  request: ChatRequest,
  { providerModel, reasoningEfforts }: Model,
  { title, fields, efforts }: Quirks,
  rules: ModelRules,
): Generator<Adaptation> {
  const requested = effortOf(request);
  const sent = sentEffort(request, rules);
  const message = `the model ${providerModel} supports tools on Chat Completions only with reasoning effort none`;
  const supported = rules?.efforts ?? (fields["reasoning.effort"] === undefined ? undefined : efforts);
  if (requested === undefined && sent !== undefined) {
    yield emulated(["reasoning", "effort"], `${message}; Dragoman sends that effort`);
  } else if (requested !== sent) {
    yield { kind: "ADJUSTED", field: ["reasoning", "effort"], message, set: sent };
  } else if (
    reasoningEfforts.length === 0 &&
    supported !== undefined &&
    requested !== undefined &&
    !supported.includes(requested)
  ) {
    yield effortRejected(rules ? `the model ${providerModel}` : title, supported);
  }
}

function* formAdaptations({ outputFormat }: ChatRequest, quirks: Quirks): Generator<Adaptation> {
  const format = outputFormat?.format.case;
  if (format === "regex" && quirks.regex === undefined) {
    yield rejected(["output_format", "regex"], `${quirks.title} does not support regex output`);
  } else if (format === "jsonObject" && !quirks.formats.includes(format)) {
    yield rejected(
      ["output_format", "json_object"],
      `${quirks.title} supports JSON output only with a schema; use json_schema`,
    );
  } else if (format === "jsonSchema" && !quirks.formats.includes(format)) {
    yield rejected(["output_format", "json_schema"], `${quirks.title} does not support JSON Schema output`);
  }
}

function* toolAdaptations(
  { tools, toolChoice }: ChatRequest,
  { providerModel }: Model,
  quirks: Quirks,
  rules: ModelRules,
): Generator<Adaptation> {
  const choice = toolChoice?.choice;
  if (rules?.toolsAt === "never" && hasFunctions({ tools })) {
    yield rejected(["tools"], `${quirks.title} serves tools of ${providerModel} only on its Responses API`);
  }
  if (quirks.toolChoice === undefined) {
    if (hasFunctions({ tools })) yield rejected(["tools"], `${quirks.title} does not support tools`);
    return;
  }
  if (choice?.case === "toolName" && quirks.toolChoice !== "named") {
    yield rejected(["tool_choice", "tool_name"], `${quirks.title} does not support a named tool choice`);
  }
  if (quirks.toolChoice !== "auto" || choice?.case !== "mode") return;
  if (choice.value === ToolChoiceMode.REQUIRED) {
    yield rejected(["tool_choice", "mode"], `${quirks.title} does not support tool choice REQUIRED`);
  } else if (choice.value === ToolChoiceMode.NONE) {
    yield emulated(
      ["tool_choice", "mode"],
      `${quirks.title} does not support tool choice NONE; the tools are omitted instead`,
    );
  }
}
