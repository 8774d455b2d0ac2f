import { create } from "@bufbuild/protobuf";
import type { CallIdRule } from "../../chat/planning/call-id-rule.ts";
import type { StopRule } from "../../chat/planning/stop-rule.ts";
import { type Model, ModelSchema } from "../../gen/dragoman/v1/model_pb.js";
import { ReasoningEffort } from "../../gen/dragoman/v1/reasoning_pb.js";
import { type FamilyRules, rulesFor } from "../../models/family-rules.ts";
import { isDeclared } from "../../models/parameter-names.ts";
import { claudeRulesOf } from "../claude/claude-models.ts";
import { claudeStops } from "../claude/stop-rule.ts";
import { claudeCallIds, mistralCallIds } from "../kit/call-ids.ts";

/**
 * Reasoning controls of a model family, sent in `additionalModelRequestFields`. The kinds `budget` and `adaptive` are
 * Claude's, `nova` is Amazon's, `flat` and `nested` are OpenAI's.
 */
export interface Thinking {
  readonly kind: "budget" | "adaptive" | "nova" | "flat" | "nested";
  /** Supported efforts. */
  readonly efforts: readonly ReasoningEffort[];
  /** Value that turns reasoning off. Sent only if `efforts` contains NONE. */
  readonly off: "disabled" | "between_tools" | "none";
  /** Whether a budget in tokens is supported. */
  readonly budget: boolean;
  /** Maximum output tokens of the model. Without `max_output_tokens`, the budget for an effort is a share of it. */
  readonly maxOutput: number;
}

/** What a family of models on Bedrock supports. */
export interface ModelRules {
  /** Undefined: no reasoning controls. */
  readonly thinking: Thinking | undefined;
  /** Whether Claude's own fields are supported: `top_k`, `tool_choice`, the matched stop sequence. */
  readonly claude: boolean;
  /** Which of temperature and top_p are supported; `one`: either, but not both. */
  readonly sampling: "both" | "one" | "none";
  /** Whether stop sequences are supported. */
  readonly stops: boolean;
  readonly stopRule: StopRule | undefined;
  /** Tool calls that a request can force. `named`: of any tool or of a given one. `any`: only of any. */
  readonly forcedTool: "named" | "any" | "none";
  readonly strictTools: boolean;
  /** Whether the model supports structured outputs (`outputConfig.textFormat`). */
  readonly jsonSchema: boolean;
  /** Whether prompt cache breakpoints and the error status of tool results are supported. */
  readonly marks: boolean;
  readonly callIds: CallIdRule;
}

const { NONE, MINIMAL, LOW, MEDIUM, HIGH, XHIGH, MAX } = ReasoningEffort;

const openWeights: ModelRules = {
  thinking: undefined,
  claude: false,
  sampling: "both",
  stops: true,
  stopRule: undefined,
  forcedTool: "any",
  strictTools: true,
  jsonSchema: true,
  marks: false,
  callIds: { maxLength: 64, punctuation: "_.:-" },
};
// https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-mistral-text-completion.html: at most 10 stops.
const mistral: ModelRules = { ...openWeights, callIds: mistralCallIds, stopRule: { max: 10 } };
const unknown: ModelRules = { ...openWeights, forcedTool: "named", marks: true };
const nova: ModelRules = { ...unknown, jsonSchema: false };
const nova2: ModelRules = { ...nova, thinking: thinking("nova", [NONE, LOW, MEDIUM, HIGH]) };
const gptOss: ModelRules = { ...openWeights, stops: false, thinking: thinking("flat", [LOW, MEDIUM, HIGH]) };
const gpt: ModelRules = {
  ...gptOss,
  sampling: "none",
  thinking: thinking("nested", [NONE, MINIMAL, LOW, MEDIUM, HIGH, XHIGH, MAX]),
};

function thinking(kind: Thinking["kind"], efforts: readonly ReasoningEffort[]): Thinking {
  return { kind, efforts, off: "disabled", budget: false, maxOutput: 0 };
}

/** Rules by model id, inference profile id or ARN, except Claude's (`claudeRules`). */
export const bedrockRules: FamilyRules<ModelRules> = {
  about: "what models on Bedrock support",
  sources: [
    {
      from: "@ai-sdk/amazon-bedrock 5.0.101: fields that its code omits because Bedrock rejects them",
      read: "2026-11-28",
    },
    { from: "docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html", read: "2026-11-28" },
  ],
  families: [
    // The first models have no number.
    { pattern: /nova-(?:micro|lite|pro|premier)-v1/, versions: [["1", nova]] },
    { pattern: /nova-(?:(?<major>\d{1,2})(?!\d))?/, versions: [["2", nova2]] },
    { pattern: /openai\.gpt-oss/, versions: [["1", gptOss]] },
    { pattern: /openai\./, versions: [["5", gpt]] },
    {
      pattern: /mistral\.(?:mistral-7b|mixtral|mistral-small|mistral-large-24|pixtral)/,
      versions: [["1", { ...mistral, jsonSchema: false }]],
    },
    { pattern: /mistral\./, versions: [["3", mistral]] },
    {
      pattern: /(?:amazon\.titan|meta\.|cohere\.|ai21\.|writer\.|deepseek\.r1)/,
      versions: [["1", { ...openWeights, jsonSchema: false }]],
    },
    // These ARNs do not name the model. Dragoman sends what Nova supports, and Bedrock rejects what the model does not.
    {
      pattern: /:(?:application-inference-profile|provisioned-model|custom-model-deployment|imported-model|prompt)\//,
      versions: [["1", unknown]],
    },
  ],
};

export function modelRules(model: Model): ModelRules {
  const { providerModel, reasoningEfforts: efforts } = model;
  const rules = providerModel.includes("anthropic.claude")
    ? claudeRules(model)
    : (rulesFor(bedrockRules, providerModel) ?? openWeights);
  if (efforts.length === 0 && model.supportedParameters.length === 0) return rules;
  return {
    ...rules,
    ...(efforts.length > 0 && rules.thinking && { thinking: { ...rules.thinking, efforts } }),
    stops: rules.stops || isDeclared(model, "parameters.stop_sequences"),
    sampling: rules.sampling === "none" && isDeclared(model, "parameters.temperature") ? "both" : rules.sampling,
    jsonSchema: rules.jsonSchema || isDeclared(model, "output_format.json_schema"),
  };
}

/**
 * Returns Anthropic's rules for a Claude model. But Bedrock rejects structured outputs and `strict` for the models
 * without sampling parameters, which are those since Claude Opus 4.7. Sources: those of `bedrockRules`, and
 * anomalyco/models.dev#1765.
 */
function claudeRules(model: Model): ModelRules {
  const rules = claudeRulesOf(model);
  const canStop = rules.off !== "never";
  const kind = rules.thinking;
  const efforts = kind === "budget" ? [MINIMAL, LOW, MEDIUM, HIGH, XHIGH, MAX] : rules.efforts;
  return {
    ...unknown,
    claude: true,
    stopRule: claudeStops,
    callIds: { ...claudeCallIds, maxLength: 64 },
    sampling: rules.sampling ? (kind === "no" ? "both" : "one") : "none",
    forcedTool: rules.forcedTools ? "named" : "none",
    strictTools: rules.sampling,
    jsonSchema: rules.jsonSchema && rules.sampling,
    thinking:
      kind === "no"
        ? undefined
        : {
            kind,
            efforts: canStop ? [NONE, ...efforts] : efforts,
            off: rules.off === "never" ? "none" : rules.off,
            budget: rules.sampling,
            maxOutput: rules.maxOutput,
          },
  };
}

/** Returns whether a model supports structured outputs, by its name. */
export function supportsSchema(providerModel: string): boolean {
  return modelRules(create(ModelSchema, { providerModel })).jsonSchema;
}
