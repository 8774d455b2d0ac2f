import { hasFunctions } from "../../chat/planning/function-tools.ts";
import { seedOf, seedPath } from "../../chat/planning/seed.ts";
import type { FieldPath } from "../../field-path.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { GenerationParameters } from "../../gen/dragoman/v1/parameters_pb.js";
import { ReasoningEffort, ReasoningFormat } from "../../gen/dragoman/v1/reasoning_pb.js";

declare global {
  interface JSON {
    // In Node.js since 21, but not in TypeScript's types. https://github.com/tc39/proposal-json-parse-with-source
    rawJSON(text: string): object;
  }
}

/** Values of the wire field `reasoning_effort`. */
export const effortWords = {
  [ReasoningEffort.UNSPECIFIED]: undefined,
  [ReasoningEffort.NONE]: "none",
  [ReasoningEffort.MINIMAL]: "minimal",
  [ReasoningEffort.LOW]: "low",
  [ReasoningEffort.MEDIUM]: "medium",
  [ReasoningEffort.HIGH]: "high",
  [ReasoningEffort.XHIGH]: "xhigh",
  [ReasoningEffort.MAX]: "max",
} as const satisfies Record<ReasoningEffort, string | undefined>;

const formatWords = {
  [ReasoningFormat.UNSPECIFIED]: undefined,
  [ReasoningFormat.PARSED]: "parsed",
  [ReasoningFormat.RAW]: "raw",
  [ReasoningFormat.HIDDEN]: "hidden",
} as const satisfies Record<ReasoningFormat, string | undefined>;

/** Returns the requested reasoning effort. Undefined if the request sets none. */
export function effortOf({ reasoning }: ChatRequest): ReasoningEffort | undefined {
  return reasoning?.control.case === "effort" ? reasoning.control.value : undefined;
}

/** Optional request field. `value` returns what Dragoman sends for it; undefined if the request does not set it. */
interface OptionalRow<Value = unknown> {
  readonly path: FieldPath;
  readonly value: (request: ChatRequest) => Value;
}

function field<Value>(name: string, value: (request: ChatRequest) => Value): OptionalRow<Value> {
  return { path: [name], value };
}

function parameter<Value>(name: string, value: (parameters: GenerationParameters) => Value) {
  const row: OptionalRow<Value | undefined> = {
    path: ["parameters", name],
    value: ({ parameters }) => parameters && value(parameters),
  };
  return row;
}

function reasoning<Value>(name: string, value: (request: ChatRequest) => Value): OptionalRow<Value> {
  return { path: ["reasoning", name], value };
}

/** Request fields that some servers lack or name differently. `Quirks.fields` lists those that a server supports. */
export const optionalFields = {
  "parameters.max_output_tokens": parameter("max_output_tokens", ({ maxOutputTokens }) => maxOutputTokens),
  "parameters.min_output_tokens": parameter("min_output_tokens", ({ minOutputTokens }) => minOutputTokens),
  "parameters.temperature": parameter("temperature", ({ temperature }) => temperature),
  "parameters.top_p": parameter("top_p", ({ topP }) => topP),
  "parameters.top_k": parameter("top_k", ({ topK }) => topK),
  "parameters.min_p": parameter("min_p", ({ minP }) => minP),
  "parameters.stop_sequences": parameter("stop_sequences", ({ stopSequences }) => unlessEmpty(stopSequences)),
  "parameters.n": parameter("n", ({ n }) => n),
  "parameters.seed": parameter("seed", (parameters) => exactInteger(seedOf(parameters))),
  "parameters.presence_penalty": parameter("presence_penalty", ({ presencePenalty }) => presencePenalty),
  "parameters.frequency_penalty": parameter("frequency_penalty", ({ frequencyPenalty }) => frequencyPenalty),
  "parameters.repetition_penalty": parameter("repetition_penalty", ({ repetitionPenalty }) => repetitionPenalty),
  "parameters.logprobs": parameter("logprobs", ({ logprobs }) => logprobs),
  "parameters.top_logprobs": parameter("top_logprobs", ({ topLogprobs }) => topLogprobs),
  "parameters.logit_bias": parameter("logit_bias", ({ logitBias }) => unlessEmpty(logitBias)),
  "reasoning.effort": reasoning("effort", (request) => effortWords[effortOf(request) ?? ReasoningEffort.UNSPECIFIED]),
  "reasoning.budget_tokens": reasoning("budget_tokens", ({ reasoning }) =>
    reasoning?.control.case === "budgetTokens" ? reasoning.control.value : undefined,
  ),
  "reasoning.format": reasoning(
    "format",
    ({ reasoning }) => formatWords[reasoning?.format ?? ReasoningFormat.UNSPECIFIED],
  ),
  "reasoning.clear_earlier_reasoning": reasoning(
    "clear_earlier_reasoning",
    ({ reasoning }) => reasoning?.clearEarlierReasoning,
  ),
  // OpenAI rejects `parallel_tool_calls` in a request without tools. The field is about calls of functions.
  parallel_tool_calls: field("parallel_tool_calls", ({ parallelToolCalls, tools }) =>
    hasFunctions({ tools }) ? parallelToolCalls : undefined,
  ),
  prediction: field(
    "prediction",
    ({ prediction }) => prediction && ({ type: "content", content: prediction.content } as const),
  ),
  service_tier: field("service_tier", ({ serviceTier }) => serviceTier || undefined),
  prompt_cache_key: field("prompt_cache_key", ({ promptCacheKey }) => promptCacheKey || undefined),
  user: field("user", ({ user }) => user || undefined),
  chat_template: field("chat_template", ({ chatTemplate }) => chatTemplate),
  chat_template_kwargs: field("chat_template_kwargs", ({ chatTemplateKwargs }) => chatTemplateKwargs),
} as const satisfies Record<string, OptionalRow>;

export type OptionalField = keyof typeof optionalFields;

export const optionalFieldNames = Object.keys(optionalFields).filter((name) => isOptionalField(name));

/** Names of one field, of which a server may know only one. OpenAI replaced each first name by the second one. */
const namePairs = [
  ["max_tokens", "max_completion_tokens"],
  ["min_tokens", "min_completion_tokens"],
  ["user", "safety_identifier"],
] as const;

/** The other name of a body field, by its name. */
export const otherNames: Readonly<Record<string, string>> = Object.fromEntries(
  namePairs.flatMap(([one, other]) => [
    [one, other],
    [other, one],
  ]),
);

function isOptionalField(name: string): name is OptionalField {
  return Object.hasOwn(optionalFields, name);
}

/** Returns the path of a field. A request can set the seed in either of two fields. */
export function pathOf(name: OptionalField, { parameters }: Pick<ChatRequest, "parameters">): FieldPath {
  return name === "parameters.seed" ? seedPath(parameters) : optionalFields[name].path;
}

/**
 * Values of each field that have no effect, or whose effect Dragoman provides without the server. If a server does not
 * support the field, Dragoman drops these values without a warning.
 */
const neutralValues: Readonly<Partial<Record<OptionalField, readonly unknown[]>>> = {
  "parameters.min_output_tokens": [0],
  "parameters.temperature": [1],
  "parameters.top_p": [1],
  "parameters.top_k": [0, -1],
  "parameters.min_p": [0],
  "parameters.n": [1],
  "parameters.presence_penalty": [0],
  "parameters.frequency_penalty": [0],
  "parameters.repetition_penalty": [1],
  "parameters.logprobs": [false],
  "parameters.top_logprobs": [0],
  "reasoning.format": ["parsed", "hidden"],
  "reasoning.clear_earlier_reasoning": [true, false],
  parallel_tool_calls: [true],
};

export function isNeutral(field: OptionalField, value: unknown): boolean {
  return neutralValues[field]?.includes(value) ?? false;
}

/** Returns the optional fields that the request sets to a value with an effect, each with its wire value. */
export function askedFields(request: ChatRequest): readonly (readonly [OptionalField, unknown])[] {
  const asked: (readonly [OptionalField, unknown])[] = [];
  for (const field of optionalFieldNames) {
    const value: unknown = optionalFields[field].value(request);
    if (value !== undefined && !isNeutral(field, value)) asked.push([field, value]);
  }
  return asked;
}

/** Converts an integer of any size to a JSON number. A JavaScript number would round integers above 2^53. */
function exactInteger(value: bigint | undefined): unknown {
  if (value === undefined) return undefined;
  return Number.isSafeInteger(Number(value)) ? Number(value) : JSON.rawJSON(String(value));
}

function unlessEmpty<T extends object>(value: T | undefined): T | undefined {
  return value === undefined || Object.keys(value).length === 0 ? undefined : value;
}
