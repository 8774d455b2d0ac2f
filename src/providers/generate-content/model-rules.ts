import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import type { ReasoningConfig } from "../../gen/dragoman/v1/reasoning_pb.js";
import { ReasoningEffort, ReasoningFormat } from "../../gen/dragoman/v1/reasoning_pb.js";
import { type FamilyRules, rulesFor } from "../../models/family-rules.ts";
import type { ThinkingConfig, ThinkingLevel } from "./wire.ts";

/** Reasoning control of a model family: a level, a budget in tokens, or none. */
type Thinking =
  | { readonly by: "level"; readonly levels: Readonly<Partial<Record<ReasoningEffort, ThinkingLevel>>> }
  | { readonly by: "budget"; readonly least: number; readonly most: number }
  | { readonly by: "nothing" };

/** What a family of models supports. */
export interface ModelRules {
  readonly thinking: Thinking;
  /** Whether the API rejects earlier tool calls without their signature. Gemini 3 and later. */
  readonly signatures: boolean;
  /** Whether JSON output is supported together with tools. */
  readonly jsonWithTools: boolean;
  /** Whether tool results may contain media. */
  readonly mediaInResults: boolean;
  /** Whether the Gemini API supports penalties. Vertex AI supports them for every model. */
  readonly penalties: boolean;
  /** Whether the API accepts a system prompt in its own field. Otherwise it goes into the first user message. */
  readonly systemInstruction: boolean;
}

const { NONE, MINIMAL, LOW, MEDIUM, HIGH } = ReasoningEffort;

const someLevels = { [LOW]: "LOW", [MEDIUM]: "MEDIUM", [HIGH]: "HIGH" } as const;
const allLevels = { [MINIMAL]: "MINIMAL", ...someLevels } as const;

/** Budget in tokens per effort, for models without levels. https://ai.google.dev/gemini-api/docs/openai#thinking */
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

const withoutMinimal: ModelRules = { ...modern, thinking: { by: "level", levels: someLevels } };
const gemini25Pro: ModelRules = { ...gemini25, thinking: { by: "budget", least: 128, most: 32_768 } };

/** Google's names may begin with `models/` or `publishers/google/models/`. Names without a version are aliases. */
const named = String.raw`(?:^|[/.])gemini(?:-(?<major>\d+)(?:\.(?<minor>\d+))?)?`;

export const geminiRules: FamilyRules<ModelRules> = {
  about: "what Google's models support",
  sources: [{ from: "model catalog of @ai-sdk/google 4.0.121", read: "2026-11-28" }],
  families: [
    { pattern: /(?:^|[/.])gemma/, versions: [["1", { ...older, systemInstruction: false }]] },
    // The name of Gemini 1.0 Pro, without a version.
    { pattern: /(?:^|[/.])gemini-pro(?:-vision)?$/, versions: [["1", older]] },
    {
      pattern: new RegExp(`${named}(?:-\\w+)*-image`),
      versions: [
        ["1", older],
        ["2.5", gemini25],
        ["3", { ...modern, thinking: { by: "budget", least: 0, most: 32_768 } }],
        ["3.1", modern],
      ],
    },
    {
      pattern: new RegExp(`${named}-pro`),
      versions: [
        ["1", older],
        ["2.5", gemini25Pro],
        ["3", withoutMinimal],
      ],
    },
    {
      pattern: new RegExp(`${named}-flash-lite`),
      versions: [
        ["1", older],
        ["2.5", gemini25],
        ["3", modern],
      ],
    },
    {
      pattern: new RegExp(`${named}-flash`),
      versions: [
        ["1", older],
        ["2.5", gemini25],
        ["3", modern],
        ["3.7", withoutMinimal],
      ],
    },
    { pattern: new RegExp(`${named}-hydrogen`), versions: [["4", withoutMinimal]] },
    {
      pattern: new RegExp(named),
      versions: [
        ["1", older],
        ["2.5", gemini25],
        ["3", modern],
      ],
    },
  ],
};

/**
 * Returns the rules of a model. A model that is not named as Google's, such as a tuned one, gets those of Gemini 2.0.
 */
export function modelRules({ providerModel, reasoningEfforts, supportedParameters }: Model): ModelRules {
  const rules = rulesFor(geminiRules, providerModel) ?? older;
  const isLevels = reasoningEfforts.length > 0;
  const levels = Object.fromEntries(
    Object.entries(allLevels).filter(([effort]) => reasoningEfforts.includes(Number(effort))),
  );
  return {
    ...rules,
    ...(isLevels && { thinking: { by: "level", levels } }),
    penalties: rules.penalties || supportedParameters.includes("parameters.presence_penalty"),
  };
}

/** Returns the efforts that a family supports. */
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

/** Returns the thinking fields of the request body. Dragoman drops or adjusts unsupported fields before this. */
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
