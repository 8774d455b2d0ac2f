import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ReportViolation } from "../../errors.ts";
import { formatDotted } from "../../field-path.ts";
import { type ReasoningConfigSchema, ReasoningEffort, ReasoningFormat } from "../../gen/dragoman/v1/reasoning_pb.js";
import { present } from "../kit/parse-request.ts";
import type { EffortWord, OpenAiBody } from "./body.ts";

const efforts = {
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

/** Returns the reasoning config of a body. Reports conflicts between the fields that set the effort. */
export function readReasoning(
  body: OpenAiBody,
  report: ReportViolation,
): MessageInitShape<typeof ReasoningConfigSchema> | undefined {
  const { reasoning, reasoning_effort, reasoning_format, disable_reasoning, clear_thinking } = body;
  const fields: readonly (readonly [field: readonly string[], effort: EffortWord | null | undefined])[] = [
    [["reasoning_effort"], reasoning_effort],
    [["reasoning", "effort"], reasoning?.effort],
    [["reasoning", "enabled"], reasoning?.enabled === false ? "none" : undefined],
    [["disable_reasoning"], disable_reasoning === true ? "none" : undefined],
  ];
  const [first, ...others] = fields.filter(([, effort]) => effort);
  const effort = first?.[1];
  const name = formatDotted(first?.[0] ?? []);
  for (const [field, other] of others) {
    if (other !== effort) report(field, `differs from ${name}; send only one of them`);
  }
  if (effort === "none" && reasoning?.enabled === true) {
    report(["reasoning", "enabled"], `is true, but ${name} turns reasoning off; send only one of them`);
  }
  const format = formats[reasoning_format ?? "none"];
  const config = present({
    control: effort ? ({ case: "effort", value: efforts[effort] } as const) : undefined,
    format,
    clearEarlierReasoning: clear_thinking ?? undefined,
  });
  return Object.keys(config).length === 0 ? undefined : config;
}
