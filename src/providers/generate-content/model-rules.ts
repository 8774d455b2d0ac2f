import type { ReasoningConfig } from "../../gen/dragoman/v1/reasoning_pb.js";
import { ReasoningEffort, ReasoningFormat } from "../../gen/dragoman/v1/reasoning_pb.js";
import type { ThinkingConfig, ThinkingLevel } from "./wire.ts";

/** How a family of models is told how much to think: in words, in tokens, or not at all. */
type Thinking =
  | { readonly by: "level"; readonly levels: Readonly<Partial<Record<ReasoningEffort, ThinkingLevel>>> }
  | { readonly by: "budget"; readonly least: number; readonly most: number }
  | { readonly by: "nothing" };

/** What sets families of models apart. */
export interface ModelRules {
  readonly thinking: Thinking;
  /** Takes back the signatures of its thoughts, and rejects tool calls that come without one. Gemini 3 and later. */
  readonly signatures: boolean;
  /** Can be bound to JSON while it has tools. */
  readonly jsonWithTools: boolean;
  /** Takes media as part of a tool's result. */
  readonly mediaInResults: boolean;
  /** Takes penalties on the Gemini API; Vertex AI takes them for all. */
  readonly penalties: boolean;
  /** Takes instructions of the system. */
  readonly systemInstruction: boolean;
}

const { NONE, MINIMAL, LOW, MEDIUM, HIGH } = ReasoningEffort;

const someLevels = { [LOW]: "LOW", [MEDIUM]: "MEDIUM", [HIGH]: "HIGH" } as const;
const allLevels = { [MINIMAL]: "MINIMAL", ...someLevels } as const;

/** Effort in tokens, for models that know only tokens. https://ai.google.dev/gemini-api/docs/openai#thinking */
const budgets: Readonly<Partial<Record<ReasoningEffort, number>>> = {
  [NONE]: 0,
  [MINIMAL]: 1_024,
  [LOW]: 1_024,
  [MEDIUM]: 8_192,
  [HIGH]: 24_576,
};

const modern: ModelRules = {
  thinking: { by: "level", levels: allLevels },
  signatures: true,
  jsonWithTools: true,
  mediaInResults: true,
  penalties: true,
  systemInstruction: true,
};
const older: ModelRules = {
  ...modern,
  thinking: { by: "nothing" },
  signatures: false,
  jsonWithTools: false,
  mediaInResults: false,
};
const gemini25: ModelRules = { ...older, thinking: { by: "budget", least: 0, most: 24_576 }, penalties: false };

// By the model's name, the first that fits. Source: the tables of @ai-sdk/google 4.0.121, of August 2026.
const rulesOfModels: readonly (readonly [RegExp, ModelRules])[] = [
  [/^gemma/, { ...older, systemInstruction: false }],
  [/^gemini-2\.5-pro/, { ...gemini25, thinking: { by: "budget", least: 128, most: 32_768 } }],
  [/^gemini-2\.5/, gemini25],
  [/^gemini-[12](?!\d)/, older],
  [/^gemini-[\d.]+-pro/, { ...modern, thinking: { by: "level", levels: someLevels } }],
  [/^gemini-/, modern],
];

/** The family of a model. What is not known, such as a tuned model, gets nothing that only some models take. */
export function modelRules(providerModel: string): ModelRules {
  return rulesOfModels.find(([pattern]) => pattern.test(providerModel))?.[1] ?? older;
}

/** The efforts that a family takes. */
export function effortsOf({ thinking }: ModelRules): readonly ReasoningEffort[] {
  switch (thinking.by) {
    case "level":
      return Object.keys(thinking.levels).map(Number);
    case "budget":
      return Object.keys(budgets)
        .map(Number)
        .filter((effort) => effort !== NONE || thinking.least === 0);
    case "nothing":
      return [];
    default:
      return thinking satisfies never;
  }
}

/** How much to think and whether to tell the thoughts, for a request to which the adaptations have been applied. */
export function toThinkingConfig(
  reasoning: ReasoningConfig | undefined,
  { thinking }: ModelRules,
): ThinkingConfig | undefined {
  if (reasoning === undefined || thinking.by === "nothing") return undefined;
  const amount = toAmount(reasoning.control, thinking);
  const isOff = amount.thinkingBudget === 0;
  return { ...amount, includeThoughts: !isOff && reasoning.format !== ReasoningFormat.HIDDEN };
}

function toAmount(control: ReasoningConfig["control"], thinking: Thinking): ThinkingConfig {
  if (control.case === "budgetTokens") return { thinkingBudget: control.value };
  if (control.case === undefined) return {};
  if (thinking.by === "budget") {
    const thinkingBudget = budgets[control.value];
    return thinkingBudget === undefined ? {} : { thinkingBudget };
  }
  const thinkingLevel = thinking.by === "level" ? thinking.levels[control.value] : undefined;
  return thinkingLevel === undefined ? {} : { thinkingLevel };
}
