import type { Adaptation } from "../../chat/planning/adaptations.ts";
import { functionsOf } from "../../chat/planning/function-tools.ts";
import { mediaIn, partsOf } from "../../chat/planning/parts.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { ReasoningEffort } from "../../gen/dragoman/v1/reasoning_pb.js";
import { ToolChoiceMode } from "../../gen/dragoman/v1/tool_pb.js";
import { askedFields, type OptionalField, pathOf } from "../chat-completions/fields.ts";
import { askedThinking, forcedWithBudget, leastBudget } from "../claude/thinking.ts";
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
import { hintRules } from "./cache-points.ts";
import { contentAdaptations } from "./content-adaptations.ts";
import { canSend } from "./media.ts";
import { type ModelRules, modelRules } from "./model-rules.ts";
import { sentThinking } from "./thinking.ts";
import { calledTools } from "./tools.ts";
import { serviceTiers } from "./wire.ts";

/** Maximum temperature of the Converse API, for every model. */
const highestTemperature = 1;

/** Whether Dragoman sends an optional field of this request to a model with these rules. */
export function takesField(field: OptionalField, request: ChatRequest, rules: ModelRules): boolean {
  const thinking = sentThinking(request, rules.thinking);
  // Claude rejects sampling parameters together with reasoning.
  const isThinking = rules.claude && (thinking.case === "effort" || thinking.case === "budget");
  switch (field) {
    case "parameters.max_output_tokens":
      // Nova rejects `maxTokens` together with the effort HIGH.
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

/** Returns what Bedrock or this model does not support in the request. */
export function checkSupport(request: ChatRequest, model: Model): readonly Adaptation[] {
  const rules = modelRules(model);
  return [
    ...fieldAdaptations(request, model, rules),
    ...thinkingAdaptations(request, model, rules),
    ...formAdaptations(request, model, rules),
    ...toolAdaptations(request, model, rules),
    ...messageAdaptations(request, rules),
    ...contentAdaptations(request),
  ];
}

function* fieldAdaptations(request: ChatRequest, model: Model, rules: ModelRules): Generator<Adaptation> {
  for (const [field] of askedFields(request)) {
    // Dragoman sends one request per choice for `n`; `thinkingAdaptations` covers the reasoning fields.
    if (["parameters.n", "reasoning.effort", "reasoning.budget_tokens"].includes(field)) continue;
    if (takesField(field, request, rules)) continue;
    yield unsupported(
      pathOf(field, request),
      `the model ${model.providerModel} on Bedrock does not support ${field} in this request`,
    );
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
    yield unsupported(field, `${subject} does not support reasoning controls`);
  } else if (
    (asked.case === "off" && sent.case === "nothing") ||
    (asked.case === "effort" && !thinking.efforts.includes(asked.effort))
  ) {
    yield effortRejected(subject, thinking.efforts, field);
  } else if (sent.case === "nothing") {
    const isShort = asked.case === "effort" || thinking.budget;
    const problem = isShort
      ? `reasons only if the output limit is above ${leastBudget}`
      : "does not support reasoning.budget_tokens: set reasoning.effort";
    yield unsupported(field, `${subject} ${problem}`);
  } else if (sent.case === "budget" && asked.case === "effort") {
    yield emulated(field, `${subject} does not support efforts: its reasoning budget is ${sent.tokens} tokens`);
  } else if (sent.case === "budget" && asked.case === "budget" && sent.tokens !== asked.tokens) {
    const message = `${subject} requires a reasoning budget of at least ${leastBudget} and less than the output limit`;
    yield { kind: "ADJUSTED", field, message, set: sent.tokens };
  }
}

function* formAdaptations({ outputFormat }: ChatRequest, model: Model, rules: ModelRules): Generator<Adaptation> {
  if (outputFormat?.format.case === "regex") {
    yield rejected(["output_format", "regex"], "Bedrock does not support regex output");
  } else if (outputFormat?.format.case === "jsonSchema" && !rules.jsonSchema) {
    const message = `the model ${model.providerModel} on Bedrock does not support JSON Schema output`;
    yield rejected(["output_format", "json_schema"], message);
  } else if (outputFormat?.format.case === "jsonObject") {
    yield emulated(
      ["output_format", "json_object"],
      "Bedrock has no JSON mode: Dragoman adds an instruction to the system prompt",
    );
  }
}

function* toolAdaptations(request: ChatRequest, model: Model, rules: ModelRules): Generator<Adaptation> {
  const { toolChoice, tools } = request;
  const choice = toolChoice?.choice;
  const isForced = choice?.case === "toolName" || choice?.value === ToolChoiceMode.REQUIRED;
  const hasCalls = calledTools(request).size > 0;
  if (tools.length === 0 && hasCalls) {
    const message = "Bedrock requires tools if the messages have tool calls";
    yield rules.claude
      ? emulated(["tools"], `${message}: Dragoman sends the tool names with tool choice none`)
      : rejected(["tools"], `${message}: add the tools`);
  }
  if (choice?.case === "toolName" && rules.forcedTool !== "named") {
    yield rejected(
      ["tool_choice", "tool_name"],
      `the model ${model.providerModel} does not support a named tool choice`,
    );
  } else if (choice?.value === ToolChoiceMode.REQUIRED && rules.forcedTool === "none") {
    yield rejected(["tool_choice", "mode"], `the model ${model.providerModel} does not support forced tool calls`);
  } else if (isForced && rules.claude && sentThinking(request, rules.thinking).case === "budget") {
    const thinking = rules.thinking?.kind === "adaptive" ? "adaptive" : "budget";
    yield rejected(["tool_choice", choice.case === "toolName" ? "tool_name" : "mode"], forcedWithBudget({ thinking }));
  } else if (choice?.value === ToolChoiceMode.NONE && tools.length > 0 && !rules.claude) {
    yield hasCalls
      ? rejected(
          ["tool_choice", "mode"],
          `the model ${model.providerModel} does not support tool_choice none after a tool call`,
        )
      : emulated(["tool_choice", "mode"], "Bedrock does not support tool_choice none: the tools are omitted instead");
  }
  if (!rules.strictTools && functionsOf({ tools }).some(({ strict }) => strict !== undefined)) {
    yield emulated(
      ["tools"],
      `Bedrock does not support strict tools for the model ${model.providerModel}: strict is omitted`,
    );
  }
}

/** Reports what Dragoman rejects, omits or moves in the messages. */
function* messageAdaptations(request: ChatRequest, rules: ModelRules): Generator<Adaptation> {
  const { messages } = request;
  for (const placed of partsOf(messages)) {
    const inResult = placed.part.kind.case === "toolResult";
    for (const { media, path } of mediaIn(placed)) {
      if (canSend(media, inResult)) continue;
      yield rejected(path, "Bedrock supports media only as bytes or s3:// URLs, with a supported media type");
    }
  }
  yield* leftOut(request, {
    name: "Bedrock does not support participant names: they are omitted",
    detail: "Bedrock does not support image detail: it is omitted",
    ...(!rules.marks && { cacheHint: "this model does not support cache hints: they are omitted" }),
  });
  if (rules.marks) yield* hintAdaptations(request, hintRules(request, rules));
  const unsigned = "Bedrock accepts only reasoning that this model signed: other reasoning is omitted";
  yield* lostThought(messages, ({ part }) => part.providerState === undefined, unsigned);
  const late = laterSystem(messages);
  if (late < 0) return;
  yield emulated(
    ["messages", late],
    "Bedrock supports system messages only at the start: Dragoman moves later ones there",
  );
}
