import { ReasoningEffort } from "../../gen/dragoman/v1/reasoning_pb.js";
import type { OptionalField } from "./fields.ts";

/** Efforts and fields that a family of OpenAI's reasoning models supports. */
export interface ReasoningModel {
  readonly efforts: readonly ReasoningEffort[];
  /** Whether the models support the sampling fields: never, or only with effort NONE. */
  readonly sampling: "never" | "without-effort";
  /** Whether the models support stop sequences. */
  readonly stops: boolean;
  /** Whether Chat Completions rejects function tools unless the request sends effort NONE. */
  readonly toolsNeedEffortNone: boolean;
}

const { NONE, MINIMAL, LOW, MEDIUM, HIGH, XHIGH, MAX } = ReasoningEffort;

function family(
  efforts: readonly ReasoningEffort[],
  sampling: ReasoningModel["sampling"],
  { stops = true, toolsNeedEffortNone = false } = {},
): ReasoningModel {
  return { efforts, sampling, stops, toolsNeedEffortNone };
}

// The first pattern that matches the provider's model name applies. Null: the model does not reason. Sources: the model
// catalog of the npm package @ai-sdk/openai 4.0.118; for `stops`, the type comments of the npm package openai 7.55.0.
const reasoningModels: readonly (readonly [RegExp, ReasoningModel | null])[] = [
  [/^gpt-\d+(\.\d+)?-chat/, null],
  [/^gpt-5\.1(?!\d)/, family([NONE, LOW, MEDIUM, HIGH], "without-effort")],
  [/^gpt-5\.[2-5](?!\d)/, family([NONE, LOW, MEDIUM, HIGH, XHIGH], "without-effort")],
  [/^gpt-5\.\d/, family([NONE, LOW, MEDIUM, HIGH, XHIGH, MAX], "without-effort", { toolsNeedEffortNone: true })],
  [/^gpt-5/, family([MINIMAL, LOW, MEDIUM, HIGH], "never")],
  [/^gpt-6(-sol|-luna|\.1-terra)/, family([NONE, LOW, MEDIUM, HIGH, XHIGH, MAX], "without-effort")],
  [/^gpt-([6-9]|\d\d)/, family([LOW, MEDIUM, HIGH, XHIGH, MAX], "never")],
  [/^(o3(?!-mini)|o4-mini)/, family([LOW, MEDIUM, HIGH], "never", { stops: false })],
  [/^o\d/, family([LOW, MEDIUM, HIGH], "never")],
];

/** Returns the family of a model; null if it does not reason. A fine-tuned model (`ft:…`) is in its base model's. */
export function reasoningModel(providerModel: string): ReasoningModel | null {
  const name = providerModel.replace(/^ft:/, "");
  return reasoningModels.find(([pattern]) => pattern.test(name))?.[1] ?? null;
}

const neverSupported: ReadonlySet<OptionalField> = new Set([
  "parameters.presence_penalty",
  "parameters.frequency_penalty",
  "parameters.logit_bias",
] satisfies OptionalField[]);

const sampling: ReadonlySet<OptionalField> = new Set([
  "parameters.temperature",
  "parameters.top_p",
  "parameters.logprobs",
  "parameters.top_logprobs",
] satisfies OptionalField[]);

/** Returns whether a reasoning model supports a field if the request sends the given reasoning effort. */
export function takesField(model: ReasoningModel, field: OptionalField, effort: ReasoningEffort | undefined): boolean {
  if (neverSupported.has(field)) return false;
  if (field === "parameters.stop_sequences") return model.stops;
  return !sampling.has(field) || (model.sampling === "without-effort" && effort === NONE);
}
