import type { Adaptation } from "../../chat/planning/adaptations.ts";
import { mediaIn, partsOf } from "../../chat/planning/parts.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { ReasoningEffort } from "../../gen/dragoman/v1/reasoning_pb.js";
import { ToolChoiceMode } from "../../gen/dragoman/v1/tool_pb.js";
import { askedFields, type OptionalField, pathOf } from "../chat-completions/fields.ts";
import { askedThinking, leastBudget } from "../claude/thinking.ts";
import {
  effortRejected,
  emulated,
  laterSystem,
  leftOut,
  lostThought,
  rejected,
  temperatureLimit,
  unsupported,
} from "../kit/adaptations.ts";
import { hintAdaptations } from "../kit/cache-hints.ts";
import { canSend } from "./media.ts";
import { type ModelRules, modelRules } from "./model-rules.ts";
import { sentThinking } from "./thinking.ts";
import { calledTools } from "./tools.ts";
import { serviceTiers } from "./wire.ts";

/** The highest temperature of Converse, whichever model it is. */
const highestTemperature = 1;

/** Whether an optional field is sent to a model with these rules. */
export function takesField(field: OptionalField, request: ChatRequest, rules: ModelRules): boolean {
  const thinking = sentThinking(request, rules.thinking);
  // Claude samples freely while it thinks.
  const isThinking = rules.claude && (thinking.case === "effort" || thinking.case === "budget");
  switch (field) {
    case "parameters.max_output_tokens":
      // Nova rejects a limit when it may think long.
      return !(
        rules.thinking?.kind === "nova" &&
        thinking.case === "effort" &&
        thinking.effort === ReasoningEffort.HIGH
      );
    case "parameters.temperature":
      return rules.sampling !== "none" && !isThinking;
    case "parameters.top_p":
      if (rules.sampling === "one" && request.parameters?.temperature !== undefined) return false;
      return rules.sampling !== "none" && !isThinking;
    case "parameters.top_k":
      return rules.claude && rules.sampling !== "none" && !isThinking;
    case "parameters.stop_sequences":
      return rules.stops;
    case "service_tier":
      return serviceTiers.some((tier) => tier === request.serviceTier);
    case "parallel_tool_calls":
      return rules.claude;
    default:
      return false;
  }
}

/** What this model on Bedrock cannot do of what the request asks. */
export function checkSupport(request: ChatRequest, model: Model): readonly Adaptation[] {
  const rules = modelRules(model.providerModel);
  return [
    ...fieldAdaptations(request, model, rules),
    ...thinkingAdaptations(request, model, rules),
    ...formAdaptations(request),
    ...toolAdaptations(request, model, rules),
    ...messageAdaptations(request, rules),
  ];
}

function* fieldAdaptations(request: ChatRequest, model: Model, rules: ModelRules): Generator<Adaptation> {
  for (const [field] of askedFields(request)) {
    // More choices are more calls; how much to think has rules of its own.
    if (["parameters.n", "reasoning.effort", "reasoning.budget_tokens"].includes(field)) continue;
    if (takesField(field, request, rules)) continue;
    yield unsupported(pathOf(field), `the model ${model.providerModel} does not take ${field} on Bedrock`);
  }
  if (takesField("parameters.temperature", request, rules)) {
    yield* temperatureLimit(request, model, "Bedrock", highestTemperature);
  }
}

function* thinkingAdaptations(request: ChatRequest, model: Model, { thinking }: ModelRules): Generator<Adaptation> {
  const asked = askedThinking(request);
  const sent = sentThinking(request, thinking);
  const field = ["reasoning", request.reasoning?.control.case === "effort" ? "effort" : "budget_tokens"];
  const subject = `the model ${model.providerModel}`;
  if (asked.case === "nothing" || (thinking === undefined && asked.case === "off")) return;
  if (thinking === undefined) {
    yield unsupported(field, `${subject} cannot be told how much to think`);
  } else if (
    (asked.case === "off" && sent.case === "nothing") ||
    (asked.case === "effort" && !thinking.efforts.includes(asked.effort))
  ) {
    yield effortRejected(subject, thinking.efforts, field);
  } else if (sent.case === "nothing") {
    const isShort = asked.case === "effort" || thinking.budget;
    const what = isShort ? "thinks only with more max_output_tokens" : "takes no number of tokens for its thoughts";
    yield unsupported(field, `${subject} ${what}`);
  } else if (sent.case === "budget" && asked.case === "effort") {
    yield emulated(field, `${subject} takes no effort: it gets ${sent.tokens} tokens for its thoughts`);
  } else if (sent.case === "budget" && asked.case === "budget" && sent.tokens !== asked.tokens) {
    const message = `${subject} thinks with at least ${leastBudget} tokens and fewer than max_output_tokens`;
    yield { kind: "ADJUSTED", field, message, set: sent.tokens };
  }
}

function* formAdaptations({ outputFormat }: ChatRequest): Generator<Adaptation> {
  if (outputFormat?.format.case === "regex") {
    yield rejected(["output_format", "regex"], "Bedrock cannot fit its answer to a regular expression");
  } else if (outputFormat?.format.case === "jsonObject") {
    yield emulated(
      ["output_format", "json_object"],
      "Bedrock has no JSON mode: the model is told to write a JSON object",
    );
  }
}

function* toolAdaptations(request: ChatRequest, model: Model, rules: ModelRules): Generator<Adaptation> {
  const { toolChoice, tools } = request;
  const choice = toolChoice?.choice;
  const hasCalls = calledTools(request).size > 0;
  if (tools.length === 0 && hasCalls) {
    const message = "Bedrock takes tool calls in a conversation only together with the tools";
    yield rules.claude
      ? emulated(["tools"], `${message}: their names are sent, and the model is told not to call them`)
      : rejected(["tools"], `${message}: send them too`);
  }
  if (choice?.case === "toolName" && rules.forcedTool !== "named") {
    yield rejected(
      ["tool_choice", "tool_name"],
      `the model ${model.providerModel} cannot be made to call a certain tool`,
    );
  } else if (choice?.value === ToolChoiceMode.REQUIRED && rules.forcedTool === "none") {
    yield rejected(["tool_choice", "mode"], `the model ${model.providerModel} cannot be made to call a tool`);
  } else if (choice?.value === ToolChoiceMode.NONE && tools.length > 0 && !rules.claude) {
    yield hasCalls
      ? rejected(
          ["tool_choice", "mode"],
          `the model ${model.providerModel} cannot be kept from calling tools once it did`,
        )
      : emulated(["tool_choice", "mode"], "Bedrock has no tool choice none: the tools are left out instead");
  }
  if (!rules.strictTools && tools.some(({ strict }) => strict !== undefined)) {
    yield emulated(["tools"], `Bedrock takes no strict tools for the model ${model.providerModel}: strict is left out`);
  }
}

/** What of the messages cannot be sent, or is left out or moved. */
function* messageAdaptations(request: ChatRequest, rules: ModelRules): Generator<Adaptation> {
  const { messages } = request;
  for (const placed of partsOf(messages)) {
    const inResult = placed.part.kind.case === "toolResult";
    for (const { media, path } of mediaIn(placed)) {
      if (canSend(media, inResult)) continue;
      yield rejected(path, "Bedrock takes media only as bytes or from S3, with a media type that it knows");
    }
  }
  yield* leftOut(request, {
    name: "Bedrock has no names for participants: they are left out",
    detail: "Bedrock has no levels of detail for images: they are left out",
    ...(!rules.marks && { cacheHint: "this model takes no cache hints: they are left out" }),
  });
  if (rules.marks) yield* hintAdaptations(request, "Bedrock");
  const unsigned = "Bedrock takes back only thoughts that this model signed: others are left out";
  yield* lostThought(messages, ({ part }) => part.providerState === undefined, unsigned);
  const late = laterSystem(messages);
  if (late < 0) return;
  yield emulated(["messages", late], "Bedrock takes system messages only before the conversation: it is moved there");
}
