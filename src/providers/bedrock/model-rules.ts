import type { CallIdRule } from "../../chat/planning/call-id-rule.ts";
import type { StopRule } from "../../chat/planning/stop-rule.ts";
import { ReasoningEffort } from "../../gen/dragoman/v1/reasoning_pb.js";
import { claudeModel } from "../claude/claude-models.ts";
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
  /** Whether prompt cache breakpoints and the error status of tool results are supported. */
  readonly marks: boolean;
  readonly callIds: CallIdRule;
}

const { NONE, MINIMAL, LOW, MEDIUM, HIGH, XHIGH, MAX } = ReasoningEffort;

const other: ModelRules = {
  thinking: undefined,
  claude: false,
  sampling: "both",
  stops: true,
  stopRule: undefined,
  forcedTool: "any",
  strictTools: true,
  marks: false,
  callIds: { maxLength: 64, punctuation: "_.:-" },
};
const nova: ModelRules = { ...other, forcedTool: "named", marks: true };
const openai: ModelRules = { ...other, sampling: "none", stops: false };

function thinking(kind: Thinking["kind"], efforts: readonly ReasoningEffort[]): Thinking {
  return { kind, efforts, off: "disabled", budget: false, maxOutput: 0 };
}

// Rules by model id, inference profile id or ARN; the first match applies. Source: the fields that the code of
// @ai-sdk/amazon-bedrock 5.0.101 omits because Bedrock rejects them.
const rulesOfModels: readonly (readonly [RegExp, ModelRules])[] = [
  [/nova-2/, { ...nova, thinking: thinking("nova", [NONE, LOW, MEDIUM, HIGH]) }],
  [/amazon\.nova/, nova],
  [/openai\.gpt-oss/, { ...openai, sampling: "both", thinking: thinking("flat", [LOW, MEDIUM, HIGH]) }],
  [/openai\./, { ...openai, thinking: thinking("nested", [NONE, MINIMAL, LOW, MEDIUM, HIGH, XHIGH, MAX]) }],
  // https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-mistral-text-completion.html: at most 10 stops.
  [/mistral\./, { ...other, callIds: mistralCallIds, stopRule: { max: 10 } }],
  // These ARNs do not name the model. Dragoman sends what Nova supports, and Bedrock rejects what the model does not.
  [/:(application-inference-profile|provisioned-model|custom-model-deployment|imported-model|prompt)\//, nova],
];

export function modelRules(providerModel: string): ModelRules {
  if (providerModel.includes("anthropic.claude")) return claudeRules(providerModel);
  return rulesOfModels.find(([pattern]) => pattern.test(providerModel))?.[1] ?? other;
}

/** Returns Anthropic's rules for a Claude model. But Bedrock rejects `strict` if it has no sampling parameters. */
function claudeRules(providerModel: string): ModelRules {
  const rules = claudeModel(providerModel);
  const canStop = rules.off !== "never";
  const kind = rules.thinking;
  const efforts = kind === "budget" ? [MINIMAL, LOW, MEDIUM, HIGH, XHIGH, MAX] : rules.efforts;
  return {
    ...nova,
    claude: true,
    stopRule: claudeStops,
    callIds: { ...claudeCallIds, maxLength: 64 },
    sampling: rules.sampling ? (kind === "no" ? "both" : "one") : "none",
    forcedTool: rules.forcedTools ? "named" : "none",
    strictTools: rules.sampling,
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
