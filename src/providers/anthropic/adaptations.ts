import type { Adaptation } from "../../chat/planning/adaptations.ts";
import { functionsOf } from "../../chat/planning/function-tools.ts";
import { mediaIn, type PlacedPart, partsOf } from "../../chat/planning/parts.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import { type Message, Role } from "../../gen/dragoman/v1/message_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { ToolChoiceMode } from "../../gen/dragoman/v1/tool_pb.js";
import { askedFields, type OptionalField, pathOf } from "../chat-completions/fields.ts";
import { type ClaudeModel, claudeRulesOf } from "../claude/claude-models.ts";
import { askedThinking, budgetOf, forcedWithBudget, leastBudget, thinksByBudget } from "../claude/thinking.ts";
import { emulated, leftOut, lostThought, rejected, temperatureLimit, unsupported } from "../kit/adaptations.ts";
import { hintAdaptations } from "../kit/cache-hints.ts";
import { turnRole } from "../kit/messages.ts";
import { anthropicHints } from "./cache-marks.ts";
import { contentAdaptations } from "./content-adaptations.ts";
import { mediaForm } from "./media.ts";
import { staysInPlace } from "./messages.ts";
import { isServiceTier, maxTokensOf } from "./request.ts";
import { isServerPart, toServerBlock } from "./server-blocks.ts";
import { effortWords, isThinking } from "./thinking.ts";
import { toolOptionAdaptations } from "./tools.ts";
import type { WireMessage } from "./wire.ts";

/** Fields that the API supports on every model. For `n`, Dragoman sends one request per choice. */
const takenFields: ReadonlySet<OptionalField> = new Set([
  "parameters.max_output_tokens",
  "parameters.stop_sequences",
  "parameters.n",
  "reasoning.effort",
  "reasoning.budget_tokens",
  "reasoning.clear_earlier_reasoning",
  "parallel_tool_calls",
  "user",
] satisfies OptionalField[]);

/** Returns what the API or this model does not support in the request. */
export function checkSupport(request: ChatRequest, model: Model): readonly Adaptation[] {
  const rules = claudeRulesOf(model);
  return [
    ...fieldAdaptations(request, model, rules),
    ...thinkingAdaptations(request, model, rules),
    ...formAdaptations(request, model, rules),
    ...toolAdaptations(request, model, rules),
    ...toolOptionAdaptations(request, model.provider),
    ...conversationAdaptations(request, model, rules),
    ...partAdaptations(request),
    ...contentAdaptations(request, model),
    ...hintAdaptations(request, anthropicHints),
  ];
}

function* fieldAdaptations(request: ChatRequest, model: Model, rules: ClaudeModel): Generator<Adaptation> {
  for (const [field] of askedFields(request)) {
    if (takenFields.has(field)) continue;
    const problem = fieldProblem(field, request, model, rules);
    if (problem !== undefined) yield unsupported(pathOf(field, request), problem);
  }
  if (rules.sampling) yield* temperatureLimit(request, model, "Anthropic", 1);
}

function fieldProblem(
  field: OptionalField,
  request: ChatRequest,
  { providerModel }: Model,
  rules: ClaudeModel,
): string | undefined {
  const { temperature = 1, topP = 1 } = request.parameters ?? {};
  switch (field) {
    case "parameters.temperature":
    case "parameters.top_k":
      if (!rules.sampling) return `the model ${providerModel} does not support ${field}`;
      return isThinking(request, rules) ? `Claude does not support ${field} together with reasoning` : undefined;
    case "parameters.top_p":
      if (!rules.sampling) return `the model ${providerModel} does not support ${field}`;
      if (temperature !== 1) return "Claude supports temperature or top_p, not both: top_p is omitted";
      // https://platform.claude.com/docs/en/build-with-claude/extended-thinking#feature-compatibility
      return isThinking(request, rules) && topP < 0.95
        ? "Claude supports only a top_p from 0.95 to 1 together with reasoning"
        : undefined;
    case "reasoning.format":
      return "Anthropic always separates reasoning from text: reasoning.format raw is not supported";
    case "service_tier":
      return isServiceTier(request.serviceTier)
        ? undefined
        : "Anthropic supports the service tiers auto and standard_only";
    case "prompt_cache_key":
      return "Anthropic does not support prompt_cache_key: set cache_hint on the last part that does not change";
    default:
      return `Anthropic does not support ${field}`;
  }
}

function* thinkingAdaptations(request: ChatRequest, model: Model, rules: ClaudeModel): Generator<Adaptation> {
  const { reasoning } = request;
  const name = `the model ${model.providerModel}`;
  if (reasoning?.clearEarlierReasoning && rules.boundThoughts) {
    yield unsupported(
      ["reasoning", "clear_earlier_reasoning"],
      `${name} requires the reasoning of earlier turns: it is sent`,
    );
  }
  const asked = askedThinking(request);
  const field = ["reasoning", reasoning?.control.case === "budgetTokens" ? "budget_tokens" : "effort"];
  if (asked.case === "nothing") return;
  if (rules.thinking === "no") {
    if (asked.case !== "off") yield unsupported(field, `${name} does not support reasoning`);
  } else if (asked.case === "off") {
    if (rules.off === "never") {
      yield rejected(field, `${name} always reasons: it supports the reasoning efforts ${effortsOf(rules)}`);
    } else if (rules.off === "between_tools") {
      yield emulated(field, `${name} may still reason between tool calls`);
    }
  } else if (asked.case === "effort" && rules.thinking === "adaptive") {
    const isSupported = rules.efforts.includes(asked.effort);
    if (!isSupported) yield rejected(field, `${name} supports the reasoning efforts ${effortsOf(rules)}`);
  } else {
    yield* budgetAdaptations(asked.case === "budget" ? asked.tokens : undefined, request, model, rules);
  }
}

function* budgetAdaptations(
  tokens: number | undefined,
  request: ChatRequest,
  model: Model,
  rules: ClaudeModel,
): Generator<Adaptation> {
  const field = ["reasoning", tokens === undefined ? "effort" : "budget_tokens"];
  const maxTokens = maxTokensOf(request, model, rules);
  const name = `the model ${model.providerModel}`;
  if (tokens !== undefined && !rules.sampling) {
    yield unsupported(field, `${name} does not support reasoning.budget_tokens: set reasoning.effort`);
  } else if (maxTokens <= leastBudget) {
    yield unsupported(field, `${name} reasons only if the output limit is above ${leastBudget}`);
  } else if (tokens === undefined) {
    const { control } = request.reasoning ?? {};
    const budget = control?.case === "effort" ? budgetOf(control.value, maxTokens) : leastBudget;
    yield emulated(field, `${name} does not support efforts: its reasoning budget is ${budget} tokens`);
  } else {
    const set = Math.min(Math.max(tokens, leastBudget), maxTokens - 1);
    const message = `${name} requires a reasoning budget of at least ${leastBudget} and less than the output limit`;
    if (set !== tokens) yield { kind: "ADJUSTED", field, message, set };
  }
}

function effortsOf({ efforts, off }: ClaudeModel): string {
  return [...(off === "never" ? [] : ["none"]), ...efforts.map((effort) => effortWords[effort])].join(", ");
}

function* formAdaptations(request: ChatRequest, model: Model, rules: ClaudeModel): Generator<Adaptation> {
  const format = request.outputFormat?.format.case;
  if (format === "jsonObject") {
    const message =
      "Anthropic has no JSON mode: Dragoman adds an instruction to the system prompt and validates the JSON";
    yield emulated(["output_format", "json_object"], message);
  } else if (format === "jsonSchema" && !rules.jsonSchema) {
    yield rejected(
      ["output_format", "json_schema"],
      `the model ${model.providerModel} does not support JSON Schema output`,
    );
  } else if (format === "regex") {
    yield rejected(["output_format", "regex"], "Anthropic does not support regex output");
  }
}

function* toolAdaptations(request: ChatRequest, model: Model, rules: ClaudeModel): Generator<Adaptation> {
  const { toolChoice, tools } = request;
  const choice = toolChoice?.choice;
  const isForced = choice?.case === "toolName" || choice?.value === ToolChoiceMode.REQUIRED;
  const field = ["tool_choice", choice?.case === "toolName" ? "tool_name" : "mode"];
  if (isForced && !rules.forcedTools) {
    yield rejected(
      field,
      `the model ${model.providerModel} does not support forced tool calls: set tool_choice to auto`,
    );
  } else if (isForced && thinksByBudget(request, rules)) {
    yield rejected(field, forcedWithBudget(rules));
  }
  if (!rules.jsonSchema && functionsOf({ tools }).some(({ strict }) => strict)) {
    yield emulated(["tools"], `the model ${model.providerModel} does not support strict tools: strict is omitted`);
  }
}

function* conversationAdaptations(request: ChatRequest, model: Model, rules: ClaudeModel): Generator<Adaptation> {
  const { messages } = request;
  const moved = firstMovedSystem(messages, rules);
  if (moved >= 0) {
    const message = `the model ${model.providerModel} supports system messages only at the start of the conversation: the message was moved there`;
    yield emulated(["messages", moved], message);
  }
  const endsWithAssistant = messages.at(-1)?.role === Role.ASSISTANT;
  if (endsWithAssistant && !isPaused(messages.at(-1)) && (!rules.prefill || isThinking(request, rules))) {
    const message = `the model ${model.providerModel} does not continue an assistant message: end with a user message`;
    yield rejected(["messages", messages.length - 1], message);
  }
  yield* leftOut(request, {
    name: "Anthropic does not support participant names: they are omitted",
    detail: "Anthropic does not support image detail: it is omitted",
  });
  const isUnsigned = ({ message, part }: PlacedPart) =>
    message.role === Role.ASSISTANT && part.providerState === undefined;
  const unsigned = "Anthropic accepts only reasoning that this model signed: other reasoning is omitted";
  yield* lostThought(messages, isUnsigned, unsigned);
}

/**
 * Whether an assistant message is a turn that Anthropic's tools can continue (the stop reason `pause_turn`). Only a
 * turn with blocks of these tools can be paused.
 */
function isPaused(message: Message | undefined): boolean {
  return message?.parts.some((part) => isServerPart(part) && toServerBlock(part, {}) !== undefined) ?? false;
}

function firstMovedSystem(messages: readonly Message[], rules: ClaudeModel): number {
  let before: WireMessage["role"] | undefined;
  for (const [index, { role }] of messages.entries()) {
    const wire = turnRole(role);
    if (wire !== "system" || staysInPlace(before, rules)) before = wire;
    else if (before !== undefined) return index;
  }
  return -1;
}

function* partAdaptations({ messages }: ChatRequest): Generator<Adaptation> {
  for (const placed of partsOf(messages)) {
    for (const { media, path } of mediaIn(placed)) {
      if (mediaForm(media) === undefined) {
        const message =
          "Anthropic supports images (JPEG, PNG, GIF, WebP), PDFs and plain text, as bytes, by HTTP URL or file_id";
        yield rejected(path, message);
      } else if (turnRole(placed.message.role) !== "user") {
        yield rejected(path, "Anthropic supports media only in user messages and tool results");
      }
    }
  }
}
