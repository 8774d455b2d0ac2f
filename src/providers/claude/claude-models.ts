import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { ReasoningEffort } from "../../gen/dragoman/v1/reasoning_pb.js";
import { type FamilyRules, rulesFor } from "../../models/family-rules.ts";
import { isDeclared } from "../../models/parameter-names.ts";

const { LOW, MEDIUM, HIGH, XHIGH, MAX } = ReasoningEffort;

/** Fields and values that a generation of Claude supports. The API returns 400 for all others. */
export interface ClaudeModel {
  /** Maximum `max_tokens`, which every request must set. */
  readonly maxOutput: number;
  /**
   * Whether the model supports temperature, top_p, top_k and, if it thinks, a budget. Since Opus 4.7, models do not.
   */
  readonly sampling: boolean;
  /** What limits thinking. `budget`: a number of tokens. `adaptive`: the model itself, guided by an effort. */
  readonly thinking: "no" | "budget" | "adaptive";
  /**
   * `thinking.type` that turns thinking off. With `between_tools`, the model may still think between tool calls.
   * `never` is not a type: the model always thinks.
   */
  readonly off: "disabled" | "between_tools" | "never";
  /** Whether the model thinks if the request does not set `thinking`. */
  readonly thinksUnasked: boolean;
  /** Supported efforts for adaptive thinking. */
  readonly efforts: readonly ReasoningEffort[];
  /** Whether the model supports a required or named tool choice. */
  readonly forcedTools: boolean;
  /** Whether the model rejects a thinking block if an earlier part of the conversation has changed. */
  readonly boundThoughts: boolean;
  /** Whether the model supports structured outputs: `output_config.format` and `strict` tools. */
  readonly jsonSchema: boolean;
  /** Whether a request may end with an assistant message, which the model then continues. */
  readonly prefill: boolean;
  /** Whether the model supports system messages after a user message. */
  readonly laterSystem: boolean;
}

const claude3: ClaudeModel = {
  maxOutput: 4_096,
  sampling: true,
  thinking: "no",
  off: "disabled",
  thinksUnasked: false,
  efforts: [],
  forcedTools: true,
  boundThoughts: false,
  jsonSchema: false,
  prefill: true,
  laterSystem: false,
};
const claude4: ClaudeModel = { ...claude3, maxOutput: 64_000, thinking: "budget" };
const claude45: ClaudeModel = { ...claude4, jsonSchema: true };
const claude46: ClaudeModel = {
  ...claude45,
  maxOutput: 128_000,
  thinking: "adaptive",
  efforts: [LOW, MEDIUM, HIGH, MAX],
  prefill: false,
};
const opus47: ClaudeModel = { ...claude46, sampling: false, efforts: [LOW, MEDIUM, HIGH, XHIGH, MAX] };
const opus48: ClaudeModel = { ...opus47, laterSystem: true };
const claude5: ClaudeModel = { ...opus48, thinksUnasked: true };
const fable5: ClaudeModel = { ...claude5, off: "never" };
const opus55: ClaudeModel = { ...fable5, forcedTools: false, boundThoughts: true };
const sonnet55: ClaudeModel = { ...opus55, off: "between_tools", boundThoughts: false };

/** Matches a tier by its name. Hosts write the version with dashes or dots, and add prefixes and dates. */
function tier(name: string): RegExp {
  return new RegExp(`claude-${name}(?:-(?<major>\\d{1,2})(?!\\d)(?:[.-](?<minor>\\d{1,2})(?!\\d))?)?`, "i");
}

// The catalog of @ai-sdk/anthropic allows a budget for Opus 4.7 and later models. Anthropic's pages on adaptive
// thinking state that these models reject a budget, and none of them needs one.
export const claudeModels: FamilyRules<ClaudeModel> = {
  about: "what Claude models support",
  sources: [
    { from: "model catalog of @ai-sdk/anthropic 4.0.105", read: "2026-11-28" },
    { from: "platform.claude.com/docs: migration guides, build-with-claude/thinking", read: "2026-11-21" },
    {
      from: "platform.claude.com/docs: whats-new-claude-4-6 (no prefill), -4-8 (later system messages)",
      read: "2026-11-21",
    },
    {
      from: "docs.anthropic.com, table of models of July 2025: output limits and thinking of Claude 3",
      read: "2026-11-28",
    },
  ],
  families: [
    // Until Claude 3.7, the version came before the tier.
    {
      pattern: /claude-(?:instant-)?v?(?<major>[1-3])(?!\d)(?:[.-](?<minor>\d)(?!\d))?/i,
      versions: [
        ["1", claude3],
        ["3.5", { ...claude3, maxOutput: 8_192 }],
        ["3.7", claude4],
      ],
    },
    {
      pattern: tier("opus"),
      versions: [
        ["4", { ...claude4, maxOutput: 32_000 }],
        ["4.1", { ...claude45, maxOutput: 32_000 }],
        ["4.5", claude45],
        ["4.6", claude46],
        ["4.7", opus47],
        ["4.8", opus48],
        ["5", claude5],
        ["5.5", opus55],
      ],
    },
    {
      pattern: tier("sonnet"),
      versions: [
        ["4", claude4],
        ["4.5", claude45],
        ["4.6", claude46],
        ["5", claude5],
        ["5.5", sonnet55],
      ],
    },
    {
      pattern: tier("haiku"),
      versions: [
        ["4.5", claude45],
        ["5.5", claude5],
      ],
    },
    {
      pattern: tier("fable"),
      versions: [
        ["5", fable5],
        ["5.1", opus55],
      ],
    },
    // A tier that this version does not know: the restrictions of all models since Claude 5, and an output limit that
    // all models since Claude 4 have.
    { pattern: /claude-(?!\d)/i, versions: [["5", { ...claude5, maxOutput: 32_000 }]] },
  ],
};

/**
 * Rules for a model that is not named as a Claude model: no restrictions but a `max_tokens` that most models support.
 */
const otherModel: ClaudeModel = {
  ...claude46,
  maxOutput: 32_000,
  efforts: opus47.efforts,
  prefill: true,
  laterSystem: true,
};

/** Returns the rules for a model by the name of any host, such as `us.anthropic.claude-opus-4-6-v1:0`. */
export function claudeModel(providerModel: string): ClaudeModel {
  // Some hosts put the version first for newer models too, as in claude-4.5-sonnet, or last for older ones.
  const name = providerModel
    .replace(/claude-([4-9]|\d\d)([.-]\d{1,2})?-([a-z]+)/i, "claude-$3-$1$2")
    .replace(/claude-(opus|sonnet|haiku)-3([.-]\d)?(?!\d)/i, "claude-3$2-$1");
  return rulesFor(claudeModels, name) ?? otherModel;
}

/** Returns the rules for a model, as changed by the configuration. */
export function claudeRulesOf(model: Model): ClaudeModel {
  const rules = claudeModel(model.providerModel);
  const { reasoningEfforts: efforts, supportedParameters } = model;
  if (efforts.length === 0 && supportedParameters.length === 0) return rules;
  const { NONE } = ReasoningEffort;
  const isSampling = (["parameters.temperature", "parameters.top_p", "parameters.top_k"] as const).some((name) =>
    isDeclared(model, name),
  );
  const isForced = isDeclared(model, "tool_choice.mode") || isDeclared(model, "tool_choice.tool_name");
  return {
    ...rules,
    ...(efforts.length > 0 && {
      efforts: efforts.filter((effort) => effort !== NONE),
      thinking: "adaptive",
      off: efforts.includes(NONE) ? (rules.off === "never" ? "disabled" : rules.off) : "never",
    }),
    sampling: rules.sampling || isSampling,
    forcedTools: rules.forcedTools || isForced,
    jsonSchema: rules.jsonSchema || isDeclared(model, "output_format.json_schema"),
    prefill: rules.prefill || isDeclared(model, "continue_last_message"),
  };
}
