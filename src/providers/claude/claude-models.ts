import { ReasoningEffort } from "../../gen/dragoman/v1/reasoning_pb.js";
import { lookUp } from "../../look-up.ts";

const { LOW, MEDIUM, HIGH, XHIGH, MAX } = ReasoningEffort;

/** Fields and values that a generation of Claude supports. The API returns 400 for all others. */
export interface ClaudeModel {
  /** Maximum `max_tokens`, which every request must set. */
  readonly maxOutput: number;
  /** Whether the model supports temperature, top_p, top_k and a thinking budget. Since Opus 4.7, models do not. */
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
const claude45: ClaudeModel = { ...claude3, maxOutput: 64_000, thinking: "budget", jsonSchema: true };
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

// Sources: the model catalog of @ai-sdk/anthropic 4.0.105, and on platform.claude.com/docs the migration guides,
// about-claude/models/whats-new-claude-4-6 (no prefill), -4-8 (later system messages) and build-with-claude/thinking.
// The catalog allows a budget for Opus 4.7 and later models. Anthropic's pages on adaptive thinking state that these
// models reject a budget, and none of them needs one.
const models: Readonly<Record<string, ClaudeModel>> = {
  "sonnet-4": { ...claude45, jsonSchema: false },
  "opus-4": { ...claude45, maxOutput: 32_000, jsonSchema: false },
  "opus-4-1": { ...claude45, maxOutput: 32_000 },
  "sonnet-4-5": claude45,
  "opus-4-5": claude45,
  "haiku-4-5": claude45,
  "sonnet-4-6": claude46,
  "opus-4-6": claude46,
  "opus-4-7": opus47,
  "opus-4-8": opus48,
  "sonnet-5": claude5,
  "opus-5": claude5,
  "haiku-5-5": claude5,
  "fable-5": fable5,
  "fable-5-1": opus55,
  "fable-5-2": opus55,
  "opus-5-5": opus55,
  "sonnet-5-5": { ...opus55, off: "between_tools", boundThoughts: false },
};

/** Rules for an unknown model: only a `max_tokens` that every model since Claude 4 supports, no other restrictions. */
const unknownModel: ClaudeModel = {
  ...claude46,
  maxOutput: 32_000,
  efforts: opus47.efforts,
  prefill: true,
  laterSystem: true,
};

/** Returns the rules for a model by the provider's name, with or without a snapshot date. */
export function claudeModel(providerModel: string): ClaudeModel {
  if (/claude-3-/.test(providerModel)) return claude3;
  const [, family = ""] = /claude-([a-z]+-\d+(?:-\d{1,2}(?!\d))?)/.exec(providerModel) ?? [];
  return lookUp(models, family) ?? unknownModel;
}
