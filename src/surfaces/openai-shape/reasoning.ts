import type { MessageInitShape } from "@bufbuild/protobuf";
import { z } from "zod";
import type { ReportViolation } from "../../errors.ts";
import { type FieldPath, formatDotted } from "../../field-path.ts";
import { type ReasoningConfigSchema, ReasoningEffort, ReasoningFormat } from "../../gen/dragoman/v1/reasoning_pb.js";
import type { FieldNames } from "../kit/field-names.ts";
import { present } from "../kit/parse-request.ts";
import { type EffortWord, flag, integer, type Maybe, type OpenAiBody, text } from "./body.ts";
import type { ObjectOf } from "./parts.ts";

/** Reasoning efforts of the contract by the words of these APIs. */
export const efforts = {
  none: ReasoningEffort.NONE,
  minimal: ReasoningEffort.MINIMAL,
  low: ReasoningEffort.LOW,
  medium: ReasoningEffort.MEDIUM,
  high: ReasoningEffort.HIGH,
  xhigh: ReasoningEffort.XHIGH,
  max: ReasoningEffort.MAX,
} as const satisfies Record<EffortWord, ReasoningEffort>;

const formats = {
  // `none` selects the model's default format.
  none: undefined,
  parsed: ReasoningFormat.PARSED,
  // Differs from `parsed` only in log probabilities: see ResponseContext.mergeReasoningLogprobs.
  text_parsed: ReasoningFormat.PARSED,
  raw: ReasoningFormat.RAW,
  hidden: ReasoningFormat.HIDDEN,
} as const;

/** Schema of a reasoning effort. */
export const effort = z.enum(["none", "minimal", "low", "medium", "high", "xhigh", "max"]).nullish();

/**
 * Makes the schemas of the reasoning fields that other APIs in the shape of OpenAI's add: OpenRouter's `reasoning` and
 * `include_reasoning`, `thinking` of Anthropic, DeepSeek, Moonshot and Z.ai, Alibaba's `enable_thinking` and
 * `thinking_budget`, and those of Cerebras and Groq.
 */
export function reasoningFields(object: ObjectOf) {
  const budget = integer;
  const type = z.enum(["enabled", "disabled", "adaptive", "auto"]);
  return {
    reasoning: object({ effort, max_tokens: budget, exclude: flag, enabled: flag, summary: text }).nullish(),
    include_reasoning: flag,
    // `display` is Anthropic's, `keep` Moonshot's.
    thinking: object({
      type,
      budget_tokens: budget,
      clear_thinking: flag,
      display: z.enum(["summarized", "omitted"]).nullish(),
      keep: z.literal("all").nullish(),
    }).nullish(),
    thinking_budget: budget,
    enable_thinking: flag,
    reasoning_format: z.enum(["none", "parsed", "text_parsed", "raw", "hidden"]).nullish(),
    disable_reasoning: flag,
    clear_thinking: flag,
  };
}

/** Budget with which Alibaba and Google leave the amount to the model. */
const anyBudget = -1;

interface ReadReasoning {
  readonly config: MessageInitShape<typeof ReasoningConfigSchema> | undefined;
  /** Whether the body turns reasoning on without an amount. */
  readonly isOn: boolean;
  /** Body path of each field of ReasoningConfig. */
  readonly names: FieldNames;
}

type Row<Value> = readonly [field: FieldPath, value: Maybe<Value>];

/** Returns the reasoning config of a body. Reports conflicts between the fields that set it. */
export function readReasoning(body: OpenAiBody, report: ReportViolation): ReadReasoning {
  const { reasoning, thinking, thinking_budget, reasoning_format, clear_thinking } = body;
  const effortRow = agreed<EffortWord>(
    [
      [["reasoning_effort"], body.reasoning_effort],
      [["reasoning", "effort"], reasoning?.effort],
      [["reasoning", "enabled"], reasoning?.enabled === false ? "none" : undefined],
      [["disable_reasoning"], body.disable_reasoning === true ? "none" : undefined],
      [["enable_thinking"], body.enable_thinking === false ? "none" : undefined],
      [["thinking", "type"], thinking?.type === "disabled" ? "none" : undefined],
    ],
    report,
  );
  const budgetRow = agreed<number>(
    [
      [["reasoning", "max_tokens"], reasoning?.max_tokens],
      [["thinking", "budget_tokens"], thinking?.budget_tokens],
      [["thinking_budget"], thinking_budget === anyBudget ? undefined : thinking_budget],
    ],
    report,
  );
  const switches: readonly Row<boolean>[] = [
    [["reasoning", "enabled"], reasoning?.enabled],
    [["enable_thinking"], body.enable_thinking],
    [["thinking", "type"], thinking && thinking.type !== "disabled"],
    [["thinking_budget"], thinking_budget === anyBudget],
  ];
  const on = switches.filter(([, isOn]) => isOn === true);
  const amount = effortRow ?? budgetRow;
  const name = formatDotted(amount?.[0] ?? []);
  if (effortRow?.[1] === "none") {
    for (const [field] of on) report(field, `turns reasoning on, but ${name} turns it off; send only one of them`);
  }
  if (effortRow && budgetRow) {
    report(budgetRow[0], `sets the amount of reasoning, as ${name} does; send only one of them`);
  }
  const hiding = agreed<boolean>(
    [
      [["reasoning", "exclude"], reasoning?.exclude],
      [["include_reasoning"], typeof body.include_reasoning === "boolean" ? !body.include_reasoning : undefined],
      [["thinking", "display"], thinking?.display && thinking.display === "omitted"],
    ],
    report,
  );
  const hidden = hiding?.[1] ? hiding : undefined;
  const cleared = agreed<boolean>(
    [
      [["clear_thinking"], clear_thinking],
      [["thinking", "clear_thinking"], thinking?.clear_thinking],
      [["thinking", "keep"], thinking?.keep ? false : undefined],
    ],
    report,
  );
  const format = formats[reasoning_format ?? "none"];
  if (hidden && format !== undefined && format !== ReasoningFormat.HIDDEN) {
    report(hidden[0], "hides the reasoning, but reasoning_format does not; send only one of them");
  }
  const config = present({
    control: controlOf(effortRow?.[1], budgetRow?.[1]),
    format: hidden ? ReasoningFormat.HIDDEN : format,
    clearEarlierReasoning: cleared?.[1] ?? undefined,
  });
  const field = amount?.[0] ?? on[0]?.[0];
  return {
    config: Object.keys(config).length === 0 ? undefined : config,
    isOn: amount === undefined && on.length > 0,
    names: {
      ...(field && {
        reasoning: formatDotted(field),
        "reasoning.effort": formatDotted(field),
        "reasoning.budget_tokens": formatDotted(field),
      }),
      ...(cleared && { "reasoning.clear_earlier_reasoning": formatDotted(cleared[0]) }),
      ...(hidden && { "reasoning.format": formatDotted(hidden[0]) }),
    },
  };
}

function controlOf(word: Maybe<EffortWord>, budget: Maybe<number>) {
  if (word) return { case: "effort", value: efforts[word] } as const;
  return typeof budget === "number" ? ({ case: "budgetTokens", value: budget } as const) : undefined;
}

/** Returns the first field that is set. Reports others with another value. */
function agreed<Value>(rows: readonly Row<Value>[], report: ReportViolation): Row<Value> | undefined {
  const [first, ...others] = rows.filter(([, value]) => value !== null && value !== undefined);
  for (const [field, value] of others) {
    if (value !== first?.[1]) report(field, `differs from ${formatDotted(first?.[0] ?? [])}; send only one of them`);
  }
  return first;
}
