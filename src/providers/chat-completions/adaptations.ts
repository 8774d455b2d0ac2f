import type { Adaptation } from "../../chat/planning/adaptations.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { ReasoningEffort } from "../../gen/dragoman/v1/reasoning_pb.js";
import { ToolChoiceMode } from "../../gen/dragoman/v1/tool_pb.js";
import { effortRejected, emulated, rejected, unsupported } from "../kit/adaptations.ts";
import { askedFields, effortOf, type OptionalField, pathOf } from "./fields.ts";
import { messageAdaptations } from "./message-adaptations.ts";
import type { FieldForm, Quirks } from "./quirks.ts";
import { type ReasoningModel, reasoningModel, takesField } from "./reasoning-models.ts";

/** OpenAI's limit on `safety_identifier`, in characters. */
const safetyIdentifierLimit = 128;

/** OpenAI's rules for a model: null when it does not reason, undefined when they do not hold for it. */
export type ModelRules = ReasoningModel | null | undefined;

export function rulesFor(model: Model, quirks: Quirks): ModelRules {
  const name = quirks.openAiModel?.(model.providerModel);
  return name === undefined ? undefined : reasoningModel(name);
}

/** The effort that is sent: the caller's, or none where tools are rejected with anything else. */
export function sentEffort(request: ChatRequest, rules: ModelRules): ReasoningEffort | undefined {
  return rules?.toolsNeedEffortNone && request.tools.length > 0 ? ReasoningEffort.NONE : effortOf(request);
}

/** The server's form of a field; undefined when this model does not take it there. */
export function wireForm(
  field: OptionalField,
  request: ChatRequest,
  rules: ModelRules,
  quirks: Quirks,
): FieldForm | undefined {
  if (rules === null && field === "reasoning.effort") return undefined;
  return rules && !takesField(rules, field, sentEffort(request, rules)) ? undefined : quirks.fields[field];
}

/** What this model on this server cannot do of what the request asks. */
export function checkSupport(request: ChatRequest, model: Model, quirks: Quirks): readonly Adaptation[] {
  const rules = rulesFor(model, quirks);
  return [
    ...fieldAdaptations(request, model, quirks, rules),
    ...effortAdaptations(request, model, quirks, rules),
    ...formAdaptations(request, quirks),
    ...toolAdaptations(request, quirks),
    ...messageAdaptations(request, quirks),
    ...(quirks.adaptations?.(request, model) ?? []),
  ];
}

function* fieldAdaptations(
  request: ChatRequest,
  { providerModel }: Model,
  quirks: Quirks,
  rules: ModelRules,
): Generator<Adaptation> {
  const { fields, maximums, maxStopSequences, title } = quirks;
  for (const [field, value] of askedFields(request)) {
    // Where n is missing, the call is made several times: see Adapter.maxChoices.
    if (field === "parameters.n") continue;
    const maximum = maximums[field];
    if (wireForm(field, request, rules, quirks) === undefined) {
      const subject = fields[field] === undefined ? title : `the model ${providerModel}`;
      yield unsupported(pathOf(field), `${subject} does not take ${field}`);
    } else if (maximum !== undefined && typeof value === "number" && value > maximum) {
      const message = `${title} takes a ${field} of at most ${maximum}`;
      yield { kind: "ADJUSTED", field: pathOf(field), message, set: maximum };
    }
  }
  if (maxStopSequences !== undefined && (request.parameters?.stopSequences.length ?? 0) > maxStopSequences) {
    yield rejected(["parameters", "stop_sequences"], `${title} takes at most ${maxStopSequences} stop sequences`);
  }
  if (fields.user === "safety_identifier" && request.user.length > safetyIdentifierLimit) {
    yield unsupported(["user"], `${title} takes a user of at most ${safetyIdentifierLimit} characters`);
  }
}

function* effortAdaptations(
  request: ChatRequest,
  { providerModel }: Model,
  { title, fields, efforts }: Quirks,
  rules: ModelRules,
): Generator<Adaptation> {
  const asked = effortOf(request);
  const sent = sentEffort(request, rules);
  const message = `the model ${providerModel} calls tools here only with the reasoning effort none`;
  const taken = rules?.efforts ?? (fields["reasoning.effort"] === undefined ? undefined : efforts);
  if (asked === undefined && sent !== undefined) {
    yield emulated(["reasoning", "effort"], `${message}, which is sent`);
  } else if (asked !== sent) {
    yield { kind: "ADJUSTED", field: ["reasoning", "effort"], message, set: sent };
  } else if (taken !== undefined && asked !== undefined && !taken.includes(asked)) {
    yield effortRejected(rules ? `the model ${providerModel}` : title, taken);
  }
}

function* formAdaptations({ outputFormat }: ChatRequest, quirks: Quirks): Generator<Adaptation> {
  const format = outputFormat?.format.case;
  if (format === "regex" && quirks.regex === undefined) {
    yield rejected(["output_format", "regex"], `${quirks.title} cannot fit its answer to a regular expression`);
  } else if (format === "jsonObject" && !quirks.formats.includes(format)) {
    yield rejected(["output_format", "json_object"], `${quirks.title} has no JSON mode without a schema`);
  } else if (format === "jsonSchema" && !quirks.formats.includes(format)) {
    yield rejected(["output_format", "json_schema"], `${quirks.title} cannot fit its answer to a JSON Schema`);
  }
}

function* toolAdaptations({ tools, toolChoice }: ChatRequest, quirks: Quirks): Generator<Adaptation> {
  const choice = toolChoice?.choice;
  if (quirks.toolChoice === undefined) {
    if (tools.length > 0) yield rejected(["tools"], `${quirks.title} calls no tools`);
    return;
  }
  if (choice?.case === "toolName" && quirks.toolChoice !== "named") {
    yield rejected(["tool_choice", "tool_name"], `${quirks.title} cannot be made to call a certain tool`);
  }
  if (quirks.toolChoice !== "auto" || choice?.case !== "mode") return;
  if (choice.value === ToolChoiceMode.REQUIRED) {
    yield rejected(["tool_choice", "mode"], `${quirks.title} cannot be made to call a tool`);
  } else if (choice.value === ToolChoiceMode.NONE) {
    yield emulated(["tool_choice", "mode"], `${quirks.title} has no tool choice: the tools are left out instead`);
  }
}
