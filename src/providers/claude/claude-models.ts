import { ReasoningEffort } from "../../gen/dragoman/v1/reasoning_pb.js";
import { lookUp } from "../../look-up.ts";

const { LOW, MEDIUM, HIGH, XHIGH, MAX } = ReasoningEffort;

/** What a generation of Claude takes. What it does not take, it answers with 400. */
export interface ClaudeModel {
  /** `max_tokens` must be sent: this is its ceiling. */
  readonly maxOutput: number;
  /** Takes temperature, top_p and top_k, and a budget for its thoughts. All four went with Opus 4.7. */
  readonly sampling: boolean;
  /** `budget`: in tokens. `adaptive`: it decides, and takes an effort. */
  readonly thinking: "no" | "budget" | "adaptive";
  /** How thinking is turned off. `between_tools` leaves some of it. */
  readonly off: "disabled" | "between_tools" | "never";
  /** Thinks when it is not told whether to. */
  readonly thinksUnasked: boolean;
  /** For adaptive thinking. */
  readonly efforts: readonly ReasoningEffort[];
  /** Can be made to call a tool. */
  readonly forcedTools: boolean;
  /** Rejects a thought whose beginning of the conversation was changed. */
  readonly boundThoughts: boolean;
  /** Has structured outputs: `output_config.format`, and `strict` tools. */
  readonly jsonSchema: boolean;
  /** Continues an assistant message at the end. */
  readonly prefill: boolean;
  /** Takes system messages after a user's. */
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

// Sources: the model catalog of @ai-sdk/anthropic 4.0.105, and of platform.claude.com/docs the migration guides,
// about-claude/models/whats-new-claude-4-6 (no prefill), -4-8 (later system messages) and build-with-claude/thinking.
// The catalog lets Opus 4.7 and later models have a budget; the vendor's pages on adaptive thinking say that they
// reject it, and no model there needs one.
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

/** A model that is not known is let do everything; its ceiling is one that every model since Claude 4 has. */
const unknownModel: ClaudeModel = {
  ...claude46,
  maxOutput: 32_000,
  efforts: opus47.efforts,
  prefill: true,
  laterSystem: true,
};

/** The rules for a model by its name at the provider, with or without the date of a snapshot. */
export function claudeModel(providerModel: string): ClaudeModel {
  if (/claude-3-/.test(providerModel)) return claude3;
  const [, family = ""] = /claude-([a-z]+-\d+(?:-\d{1,2}(?!\d))?)/.exec(providerModel) ?? [];
  return lookUp(models, family) ?? unknownModel;
}
