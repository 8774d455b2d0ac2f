import { ReasoningEffort } from "../../gen/dragoman/v1/reasoning_pb.js";
import { claudeModel } from "../claude/claude-models.ts";

/**
 * How a family of models is told how much to think, in `additionalModelRequestFields`. `budget` and `adaptive` are
 * Claude's, `nova` is Amazon's, `flat` and `nested` are OpenAI's.
 */
export interface Thinking {
  readonly kind: "budget" | "adaptive" | "nova" | "flat" | "nested";
  /** The efforts that it takes. */
  readonly efforts: readonly ReasoningEffort[];
  /** How thinking is turned off, where it can be. */
  readonly off: "disabled" | "between_tools" | "none";
  /** Whether it takes a number of tokens. */
  readonly budget: boolean;
  /** Tokens that its answers may have, to which an effort is measured where it takes only a number. */
  readonly maxOutput: number;
}

/** What a family of models on Bedrock takes. */
export interface ModelRules {
  /** Undefined: it cannot be told how much to think. */
  readonly thinking: Thinking | undefined;
  /** Claude's own fields: `top_k`, `tool_choice`, the stop sequence that matched. */
  readonly claude: boolean;
  /** Which of temperature and top_p it takes; `one` takes either, but not both. */
  readonly sampling: "both" | "one" | "none";
  readonly stops: boolean;
  /** The tool calls that it can be made to make: of a certain tool, of any tool, or none. */
  readonly forcedTool: "named" | "any" | "none";
  readonly strictTools: boolean;
  /** Whether it takes marks where its prompt is to be cached, and is told that a tool failed. */
  readonly marks: boolean;
  /** Takes only tool call ids of nine letters and digits. */
  readonly shortIds: boolean;
}

const { NONE, MINIMAL, LOW, MEDIUM, HIGH, XHIGH, MAX } = ReasoningEffort;

const other: ModelRules = {
  thinking: undefined,
  claude: false,
  sampling: "both",
  stops: true,
  forcedTool: "any",
  strictTools: true,
  marks: false,
  shortIds: false,
};
const nova: ModelRules = { ...other, forcedTool: "named", marks: true };
const openai: ModelRules = { ...other, sampling: "none", stops: false };

function thinking(kind: Thinking["kind"], efforts: readonly ReasoningEffort[]): Thinking {
  return { kind, efforts, off: "disabled", budget: false, maxOutput: 0 };
}

// By the id of the model, its inference profile or its ARN, the first that fits. Source: what the sources of
// @ai-sdk/amazon-bedrock 5.0.101 leave out because Bedrock rejects it.
const rulesOfModels: readonly (readonly [RegExp, ModelRules])[] = [
  [/nova-2/, { ...nova, thinking: thinking("nova", [NONE, LOW, MEDIUM, HIGH]) }],
  [/amazon\.nova/, nova],
  [/openai\.gpt-oss/, { ...openai, sampling: "both", thinking: thinking("flat", [LOW, MEDIUM, HIGH]) }],
  [/openai\./, { ...openai, thinking: thinking("nested", [NONE, MINIMAL, LOW, MEDIUM, HIGH, XHIGH, MAX]) }],
  [/mistral\./, { ...other, shortIds: true }],
  // ARNs that do not say whose model it is: Bedrock itself tells what it does not take.
  [/:(application-inference-profile|provisioned-model|custom-model-deployment|imported-model|prompt)\//, nova],
];

export function modelRules(providerModel: string): ModelRules {
  if (providerModel.includes("anthropic.claude")) return claudeRules(providerModel);
  return rulesOfModels.find(([pattern]) => pattern.test(providerModel))?.[1] ?? other;
}

/** Claude as Anthropic serves it, except that Bedrock rejects `strict` for the models that take no sampling. */
function claudeRules(providerModel: string): ModelRules {
  const rules = claudeModel(providerModel);
  const canStop = rules.off !== "never";
  const kind = rules.thinking;
  const efforts = kind === "budget" ? [MINIMAL, LOW, MEDIUM, HIGH, XHIGH, MAX] : rules.efforts;
  return {
    ...nova,
    claude: true,
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
