import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { ReasoningEffort } from "../../gen/dragoman/v1/reasoning_pb.js";
import { type FamilyRules, rulesFor } from "../../models/family-rules.ts";
import { isDeclared } from "../../models/parameter-names.ts";
import type { OptionalField } from "./fields.ts";

/** Efforts and fields that a family of OpenAI's reasoning models supports. */
export interface ReasoningModel {
  readonly efforts: readonly ReasoningEffort[];
  /** Whether the models support the sampling fields: never, or only with effort NONE. */
  readonly sampling: "never" | "without-effort";
  /** Whether the models support stop sequences. */
  readonly stops: boolean;
  /**
   * Efforts at which Chat Completions accepts function tools.
   * - `none`: only NONE, which Dragoman sends.
   * - `none by default`: only NONE, at which the model works if the request has no effort.
   * - `never`: the model does not support NONE, so that only the Responses API accepts tools.
   */
  readonly toolsAt: "any" | "none" | "none by default" | "never";
  /** Fields that the models support by the configuration, whatever the other rules are. */
  readonly declared?: readonly string[];
}

const { NONE, MINIMAL, LOW, MEDIUM, HIGH, XHIGH, MAX } = ReasoningEffort;

const o1: ReasoningModel = { efforts: [LOW, MEDIUM, HIGH], sampling: "never", stops: true, toolsAt: "any" };
const o3: ReasoningModel = { ...o1, stops: false };
const gpt5: ReasoningModel = { ...o1, efforts: [MINIMAL, LOW, MEDIUM, HIGH] };
const gpt51: ReasoningModel = { ...o1, efforts: [NONE, LOW, MEDIUM, HIGH], sampling: "without-effort" };
const gpt52: ReasoningModel = { ...gpt51, efforts: [NONE, LOW, MEDIUM, HIGH, XHIGH] };
const gpt54: ReasoningModel = { ...gpt52, toolsAt: "none by default" };
const gpt55: ReasoningModel = { ...gpt52, toolsAt: "none" };
const gpt56: ReasoningModel = { ...gpt55, efforts: [NONE, LOW, MEDIUM, HIGH, XHIGH, MAX] };
const pro: ReasoningModel = { ...o1, stops: false, efforts: [HIGH] };
const pro52: ReasoningModel = { ...pro, efforts: [MEDIUM, HIGH, XHIGH] };
const codex: ReasoningModel = { ...pro, efforts: [LOW, MEDIUM, HIGH] };
const codex52: ReasoningModel = { ...pro, efforts: [LOW, MEDIUM, HIGH, XHIGH] };
const deepResearch: ReasoningModel = { ...pro, efforts: [MEDIUM] };
const withoutNone: ReasoningModel = {
  ...gpt56,
  efforts: [LOW, MEDIUM, HIGH, XHIGH, MAX],
  sampling: "never",
  toolsAt: "never",
};

// Fine-tuned models begin with `ft:`, names of other hosts with `openai/`.
const version = String.raw`(?:^|[/:])gpt-(?<major>\d+)(?:\.(?<minor>\d+))?`;

/** Null: the models do not reason. */
export const reasoningModels: FamilyRules<ReasoningModel | null> = {
  about: "reasoning of OpenAI's models",
  sources: [
    { from: "model catalog of @ai-sdk/openai 4.0.118: efforts, sampling", read: "2026-11-28" },
    { from: "type comments of openai 7.55.0: stop sequences", read: "2026-11-21" },
    // The catalog states that GPT-5.4, GPT-5.5 and GPT-6 accept tools at each effort. Reports of OpenAI's error differ.
    { from: "openai/openai-openapi#541, charmbracelet/crush#2913: tools of GPT-5.4 and 5.5", read: "2026-11-28" },
    // OpenAI's errors list the efforts. The page of GPT-5 pro has only high, and those of the codex models theirs.
    { from: "withceleste/celeste-python#394: GPT-5.2 pro and 5.4 pro; OpenAI's pages: others", read: "2026-11-30" },
    { from: "onyx-dot-app/onyx#15008, genkit-ai/genkit#6303: tools of GPT-6 Sol and Astra", read: "2026-11-28" },
  ],
  families: [
    // Azure's names of GPT-3.5 and names of deployments have no dot.
    { pattern: /(?:^|[/:])gpt-(?:3|4)[1-9](?!\d)/, versions: [["3", null]] },
    { pattern: new RegExp(`${version}-chat`), versions: [["5", null]] },
    {
      pattern: new RegExp(`${version}-pro`),
      versions: [
        ["5", pro],
        ["5.2", pro52],
      ],
    },
    { pattern: new RegExp(`${version}-codex-max`), versions: [["5.1", codex52]] },
    {
      pattern: new RegExp(`${version}-codex`),
      versions: [
        ["5", codex],
        ["5.2", codex52],
      ],
    },
    { pattern: /(?:^|[/:])o\d+(?:-mini)?-deep-research/, versions: [["3", deepResearch]] },
    { pattern: new RegExp(`${version}-astra`), versions: [["6", withoutNone]] },
    {
      pattern: new RegExp(`${version}-sol`),
      versions: [
        ["5.6", gpt56],
        ["6.1", withoutNone],
      ],
    },
    {
      pattern: new RegExp(version),
      versions: [
        ["1", null],
        ["5", gpt5],
        ["5.1", gpt51],
        ["5.2", gpt52],
        ["5.4", gpt54],
        ["5.5", gpt55],
        ["5.6", gpt56],
      ],
    },
    { pattern: /(?:^|[/:])o3-mini/, versions: [["3", o1]] },
    {
      pattern: /(?:^|[/:])o(?<major>\d+)/,
      versions: [
        ["1", o1],
        ["3", o3],
      ],
    },
  ],
};

/** Returns the rules of a model by OpenAI's name for it; null if it does not reason. */
export function reasoningModel(name: string, configured: Model): ReasoningModel | null {
  const { reasoningEfforts: efforts, supportedParameters: declared } = configured;
  const known = rulesFor(reasoningModels, name) ?? null;
  if (efforts.length === 0 && (declared.length === 0 || known === null)) return known;
  return {
    ...(known ?? o1),
    ...(efforts.length > 0 && { efforts }),
    ...(isDeclared(configured, "tools") && { toolsAt: "any" }),
    declared,
  };
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
  if (model.declared?.includes(field)) return true;
  if (neverSupported.has(field)) return false;
  if (field === "parameters.stop_sequences") return model.stops;
  return !sampling.has(field) || (model.sampling === "without-effort" && effort === NONE);
}
