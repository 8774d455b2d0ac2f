import type { Adaptation } from "../../chat/planning/adaptations.ts";
import { mediaIn, type PlacedPart, partsOf } from "../../chat/planning/parts.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import { type Message, Role } from "../../gen/dragoman/v1/message_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { ToolChoiceMode } from "../../gen/dragoman/v1/tool_pb.js";
import { askedFields, type OptionalField, pathOf } from "../chat-completions/fields.ts";
import { type ClaudeModel, claudeModel } from "../claude/claude-models.ts";
import { askedThinking, budgetOf, leastBudget } from "../claude/thinking.ts";
import { emulated, leftOut, lostThought, rejected, temperatureLimit, unsupported } from "../kit/adaptations.ts";
import { hintAdaptations } from "../kit/cache-hints.ts";
import { turnRole } from "../kit/messages.ts";
import { mediaForm } from "./media.ts";
import { staysInPlace } from "./messages.ts";
import { isServiceTier, maxTokensOf } from "./request.ts";
import { effortWords, isThinking } from "./thinking.ts";
import type { WireMessage } from "./wire.ts";

/** The fields that the API has, on every model. `n` is answered by a call for each choice. */
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

/** What this model cannot do of what the request asks. */
export function checkSupport(request: ChatRequest, model: Model): readonly Adaptation[] {
  const rules = claudeModel(model.providerModel);
  return [
    ...fieldAdaptations(request, model, rules),
    ...thinkingAdaptations(request, model, rules),
    ...formAdaptations(request, model, rules),
    ...toolAdaptations(request, model, rules),
    ...conversationAdaptations(request, model, rules),
    ...partAdaptations(request),
    ...hintAdaptations(request, "Anthropic"),
  ];
}

function* fieldAdaptations(request: ChatRequest, model: Model, rules: ClaudeModel): Generator<Adaptation> {
  for (const [field] of askedFields(request)) {
    if (takenFields.has(field)) continue;
    const problem = fieldProblem(field, request, model, rules);
    if (problem !== undefined) yield unsupported(pathOf(field), problem);
  }
  if (rules.sampling) yield* temperatureLimit(request, model, "Anthropic", 1);
  if (request.parameters?.stopSequences.some((text) => text.trim() === "")) {
    yield rejected(["parameters", "stop_sequences"], "Anthropic takes no stop sequence of white space alone");
  }
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
      if (!rules.sampling) return `the model ${providerModel} does not take ${field}`;
      return isThinking(request, rules) ? `Claude does not take ${field} while it thinks` : undefined;
    case "parameters.top_p":
      if (!rules.sampling) return `the model ${providerModel} does not take ${field}`;
      if (temperature !== 1) return "Claude takes either temperature or top_p: top_p is left out";
      // https://platform.claude.com/docs/en/build-with-claude/extended-thinking#feature-compatibility
      return isThinking(request, rules) && topP < 0.95
        ? "Claude takes a top_p of 0.95 to 1 while it thinks"
        : undefined;
    case "reasoning.format":
      return "Anthropic cannot leave the reasoning inside the text";
    case "service_tier":
      return isServiceTier(request.serviceTier) ? undefined : "Anthropic's service tiers are auto and standard_only";
    case "prompt_cache_key":
      return "Anthropic has no prompt_cache_key: set cache_hint on the last part that stays the same";
    default:
      return `Anthropic does not take ${field}`;
  }
}

function* thinkingAdaptations(request: ChatRequest, model: Model, rules: ClaudeModel): Generator<Adaptation> {
  const { reasoning } = request;
  const name = `the model ${model.providerModel}`;
  if (reasoning?.clearEarlierReasoning && rules.boundThoughts) {
    yield unsupported(
      ["reasoning", "clear_earlier_reasoning"],
      `${name} takes its thoughts only in a whole conversation`,
    );
  }
  const asked = askedThinking(request);
  const field = ["reasoning", reasoning?.control.case === "budgetTokens" ? "budget_tokens" : "effort"];
  if (asked.case === "nothing") return;
  if (rules.thinking === "no") {
    if (asked.case !== "off") yield unsupported(field, `${name} does not think`);
  } else if (asked.case === "off") {
    if (rules.off === "never") {
      yield rejected(field, `${name} always thinks: it takes the reasoning efforts ${effortsOf(rules)}`);
    } else if (rules.off === "between_tools") {
      yield emulated(field, `${name} does not quite stop thinking: it still may between calls of tools`);
    }
  } else if (asked.case === "effort" && rules.thinking === "adaptive") {
    const takes = rules.efforts.includes(asked.effort);
    if (!takes) yield rejected(field, `${name} takes the reasoning efforts ${effortsOf(rules)}`);
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
    yield unsupported(field, `${name} takes no budget for its thoughts: give an effort`);
  } else if (maxTokens <= leastBudget) {
    yield unsupported(field, `${name} thinks only where max_output_tokens is above ${leastBudget}`);
  } else if (tokens === undefined) {
    const { control } = request.reasoning ?? {};
    const budget = control?.case === "effort" ? budgetOf(control.value, maxTokens) : leastBudget;
    yield emulated(field, `${name} takes no effort: it gets a budget of ${budget} tokens for its thoughts`);
  } else {
    const set = Math.min(Math.max(tokens, leastBudget), maxTokens - 1);
    const message = `${name} takes a budget from ${leastBudget} to below max_output_tokens`;
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
      "Anthropic has no JSON mode: the model is told to answer with a JSON object, and it is checked here";
    yield emulated(["output_format", "json_object"], message);
  } else if (format === "jsonSchema" && !rules.jsonSchema) {
    yield rejected(
      ["output_format", "json_schema"],
      `the model ${model.providerModel} takes no JSON Schema for its answer`,
    );
  } else if (format === "regex") {
    yield rejected(["output_format", "regex"], "Anthropic cannot fit its answer to a regular expression");
  }
}

function* toolAdaptations(request: ChatRequest, model: Model, rules: ClaudeModel): Generator<Adaptation> {
  const { toolChoice, tools } = request;
  const choice = toolChoice?.choice;
  const isForced = choice?.case === "toolName" || choice?.value === ToolChoiceMode.REQUIRED;
  const field = ["tool_choice", choice?.case === "toolName" ? "tool_name" : "mode"];
  if (isForced && !rules.forcedTools) {
    yield rejected(field, `the model ${model.providerModel} cannot be made to call a tool`);
  } else if (isForced && isThinking(request, rules)) {
    // https://platform.claude.com/docs/en/build-with-claude/extended-thinking#extended-thinking-with-tool-use
    yield rejected(field, "Claude cannot be made to call a tool while it thinks: leave reasoning out");
  }
  if (!rules.jsonSchema && tools.some(({ strict }) => strict)) {
    yield emulated(["tools"], `the model ${model.providerModel} has no strict tools: strict is left out`);
  }
}

function* conversationAdaptations(request: ChatRequest, model: Model, rules: ClaudeModel): Generator<Adaptation> {
  const { messages } = request;
  const moved = firstMovedSystem(messages, rules);
  if (moved >= 0) {
    const sentence = `a later system message goes to the front: ${model.providerModel} takes none there`;
    yield emulated(["messages", moved], sentence);
  }
  const endsWithAssistant = messages.at(-1)?.role === Role.ASSISTANT;
  if (endsWithAssistant && (!rules.prefill || isThinking(request, rules))) {
    const message = `the model ${model.providerModel} does not continue an assistant message: end with a user's`;
    yield rejected(["messages", messages.length - 1], message);
  }
  yield* leftOut(request, {
    name: "Anthropic has no names of participants: they are left out",
    detail: "Anthropic has no levels of detail for images: they are left out",
  });
  const isUnsigned = ({ message, part }: PlacedPart) =>
    message.role === Role.ASSISTANT && part.providerState === undefined;
  const unsigned = "Anthropic takes back only thoughts that this model signed: others are left out";
  yield* lostThought(messages, isUnsigned, unsigned);
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
        const message = "Anthropic takes images (JPEG, PNG, GIF, WebP), PDFs and plain text, by bytes or http address";
        yield rejected(path, message);
      } else if (turnRole(placed.message.role) !== "user") {
        yield rejected(path, "Anthropic takes media only from the user and as results of tools");
      }
    }
  }
}
