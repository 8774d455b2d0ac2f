import type { Limitation } from "../../chat/limitations.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Media } from "../../gen/dragoman/v1/message_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { ReasoningEffort, ReasoningFormat } from "../../gen/dragoman/v1/reasoning_pb.js";
import { ToolChoiceMode } from "../../gen/dragoman/v1/tool_pb.js";
import { effortOf, effortWords, isNeutral, type OptionalField, optionalFieldNames, optionalFields } from "./fields.ts";
import { mediaKind } from "./media.ts";
import type { Quirks } from "./quirks.ts";
import { type ReasoningModel, reasoningModel, takesField } from "./reasoning-models.ts";

/** OpenAI's limit on `safety_identifier`, in characters. */
const safetyIdentifierLimit = 128;

/** The rules of OpenAI's reasoning models, for a model that they hold for. */
export function rulesFor(model: Model, quirks: Quirks): ReasoningModel | undefined {
  return quirks.reasoningModelRules ? reasoningModel(model.providerModel) : undefined;
}

/** The effort that is sent: the caller's, or none where tools are refused with anything else. */
export function sentEffort(request: ChatRequest, rules: ReasoningModel | undefined): ReasoningEffort | undefined {
  return rules?.toolsNeedEffortNone && request.tools.length > 0 ? ReasoningEffort.NONE : effortOf(request);
}

/** The server's name for a field; undefined when this model does not take it there. */
export function wireName(
  field: OptionalField,
  request: ChatRequest,
  rules: ReasoningModel | undefined,
  quirks: Quirks,
): string | undefined {
  const taken = rules
    ? takesField(rules, field, sentEffort(request, rules))
    : !(quirks.reasoningModelRules && field === "reasoning.effort");
  return taken ? quirks.fields[field] : undefined;
}

/** What this model on this server cannot do of what the request asks. */
export function limitationsOf(request: ChatRequest, model: Model, quirks: Quirks): readonly Limitation[] {
  const rules = rulesFor(model, quirks);
  return [
    ...fieldLimitations(request, model, quirks, rules),
    ...effortLimitations(request, model, quirks, rules),
    ...formLimitations(request, quirks),
    ...toolChoiceLimitations(request, quirks),
    ...messageLimitations(request, quirks),
  ];
}

function* fieldLimitations(
  request: ChatRequest,
  { providerModel }: Model,
  quirks: Quirks,
  rules: ReasoningModel | undefined,
): Generator<Limitation> {
  for (const field of optionalFieldNames) {
    const value = optionalFields[field](request);
    if (value === undefined || isNeutral(field, value)) continue;
    if (wireName(field, request, rules, quirks) === undefined) {
      const subject = quirks.fields[field] === undefined ? quirks.title : `the model ${providerModel}`;
      yield unsupported(field, `${subject} does not take ${field}`);
    }
  }
  const { maxStopSequences, title } = quirks;
  if (maxStopSequences !== undefined && (request.parameters?.stopSequences.length ?? 0) > maxStopSequences) {
    yield refused("parameters.stop_sequences", `${title} takes at most ${maxStopSequences} stop sequences`);
  }
  if (quirks.fields.user === "safety_identifier" && request.user.length > safetyIdentifierLimit) {
    yield unsupported("user", `${title} takes a user of at most ${safetyIdentifierLimit} characters`);
  }
}

function* effortLimitations(
  request: ChatRequest,
  { providerModel }: Model,
  quirks: Quirks,
  rules: ReasoningModel | undefined,
): Generator<Limitation> {
  const asked = effortOf(request);
  const sent = sentEffort(request, rules);
  const message = `the model ${providerModel} calls tools here only with the reasoning effort none`;
  if (asked === undefined && sent !== undefined) {
    yield { kind: "EMULATED", field: "reasoning.effort", message: `${message}, which is sent` };
  } else if (asked !== sent) {
    yield { kind: "ADJUSTED", field: "reasoning.effort", message, set: sent };
  } else if (rules !== undefined && asked !== undefined && !rules.efforts.includes(asked)) {
    const efforts = rules.efforts.map((effort) => effortWords[effort]).join(", ");
    yield refused("reasoning.effort", `the model ${providerModel} takes the reasoning efforts ${efforts}`);
  }
  if (request.reasoning?.format === ReasoningFormat.RAW) {
    yield unsupported("reasoning.format", `${quirks.title} cannot leave the reasoning inside the text`);
  }
}

function* formLimitations({ outputFormat, deploymentParameters }: ChatRequest, quirks: Quirks): Generator<Limitation> {
  if (outputFormat?.format.case === "regex" && quirks.regex === undefined) {
    yield refused("output_format.regex", `${quirks.title} cannot fit its answer to a regular expression`);
  }
  if (deploymentParameters !== undefined) {
    yield unsupported("deployment_parameters", `${quirks.title} has no deployment parameters`);
  }
}

function* toolChoiceLimitations({ toolChoice }: ChatRequest, quirks: Quirks): Generator<Limitation> {
  const choice = toolChoice?.choice;
  if (choice?.case === "toolName" && quirks.toolChoice !== "named") {
    yield refused("tool_choice.tool_name", `${quirks.title} cannot be made to call a certain tool`);
  }
  if (quirks.toolChoice !== "auto" || choice?.case !== "mode") return;
  if (choice.value === ToolChoiceMode.REQUIRED) {
    yield refused("tool_choice.mode", `${quirks.title} cannot be made to call a tool`);
  } else if (choice.value === ToolChoiceMode.NONE) {
    const message = `${quirks.title} has no tool choice: the tools are left out instead`;
    yield { kind: "EMULATED", field: "tool_choice.mode", message };
  }
}

function* messageLimitations({ messages, tools }: ChatRequest, quirks: Quirks): Generator<Limitation> {
  let hinted = tools.some(({ cacheHint }) => cacheHint !== undefined);
  for (const [index, { parts }] of messages.entries()) {
    for (const [partIndex, { kind, cacheHint }] of parts.entries()) {
      const field = `messages[${index}].parts[${partIndex}]`;
      hinted ||= cacheHint !== undefined;
      if (kind.case === "media") {
        const message = mediaProblem(kind.value, quirks);
        if (message !== undefined) yield refused(`${field}.media`, message);
      } else if (kind.case === "toolResult" && kind.value.parts.some((part) => part.kind.case === "media")) {
        yield refused(`${field}.tool_result`, `${quirks.title} takes only text as the result of a tool`);
      }
    }
  }
  if (hinted) {
    const message = `${quirks.title} caches prompts without being asked: cache hints are left out`;
    yield { kind: "EMULATED", field: "messages", message };
  }
}

function mediaProblem(media: Media, { title, imageUrls, audioAndFiles }: Quirks): string | undefined {
  switch (mediaKind(media)) {
    case "image":
      return undefined;
    case "image_url":
      return imageUrls ? undefined : `${title} takes images only as bytes, not by address`;
    case "audio":
    case "file":
      return audioAndFiles ? undefined : `${title} takes no sounds or documents`;
    case "other":
      return `${title} does not take this: send an image as bytes or by http address, a WAV or MP3 sound or a PDF as bytes`;
  }
}

function unsupported(field: string, message: string): Limitation {
  return { kind: "UNSUPPORTED_PARAMETER", field, message };
}

function refused(field: string, message: string): Limitation {
  return { kind: "REFUSED", field, message };
}
