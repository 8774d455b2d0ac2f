import type { MessageInitShape } from "@bufbuild/protobuf";
import { z } from "zod";
import type { ReportViolation } from "../../errors.ts";
import type { FieldPath } from "../../field-path.ts";
import { type ToolChoice, ToolChoiceMode, type ToolChoiceSchema } from "../../gen/dragoman/v1/tool_pb.js";
import { text } from "../openai-shape/body.ts";
import { closedObject as object } from "../openai-shape/parts.ts";
import { joinedName } from "./tool-names.ts";

const named = z.looseObject({ type: z.enum(["function", "custom"]), name: z.string(), namespace: text });
const allowed = object({
  type: z.literal("allowed_tools"),
  mode: z.enum(["auto", "required"]),
  tools: z.array(z.looseObject({ type: z.string(), name: text, namespace: text })),
});
const hosted = z.looseObject({
  type: z
    .string()
    .refine((type) => !["function", "custom", "allowed_tools"].includes(type), "needs further properties"),
});

/** Schema of `tool_choice`. */
export const toolChoiceSchema = z
  .union(
    [z.enum(["none", "auto", "required"]), named, allowed, hosted],
    "must be none, auto, required, or an object of the type function, custom or allowed_tools",
  )
  .nullish();

export type BodyToolChoice = NonNullable<z.output<typeof toolChoiceSchema>>;

export const choiceModes = {
  none: ToolChoiceMode.NONE,
  auto: ToolChoiceMode.AUTO,
  required: ToolChoiceMode.REQUIRED,
} as const;

interface ReadChoice {
  readonly choice: Exclude<MessageInitShape<typeof ToolChoiceSchema>, ToolChoice> | undefined;
  /** Paths in the body of tools that `allowed_tools` names without an effect. */
  readonly leftOut: readonly FieldPath[];
}

/** Translates `tool_choice`. */
export function readToolChoice(choice: BodyToolChoice, report: ReportViolation): ReadChoice {
  if (typeof choice === "string")
    return { choice: { choice: { case: "mode", value: choiceModes[choice] } }, leftOut: [] };
  if (isAllowed(choice)) {
    const functions = choice.tools.flatMap(({ name, namespace }) => (name ? [joinedName(name, namespace)] : []));
    const leftOut = choice.tools.flatMap(({ name }, index) => (name ? [] : [["tool_choice", "tools", index]]));
    const mode = choiceModes[choice.mode];
    if (functions.length === 0) {
      report(
        ["tool_choice", "tools"],
        "must name a function or a custom tool; tools that the provider runs are always allowed",
      );
    }
    return { choice: { choice: { case: "allowedTools", value: { mode, toolNames: functions } } }, leftOut };
  }
  if (isNamed(choice)) {
    return { choice: { choice: { case: "toolName", value: joinedName(choice.name, choice.namespace) } }, leftOut: [] };
  }
  report(
    ["tool_choice"],
    `cannot force a tool of the type ${choice.type}, which the provider runs; use auto or required`,
  );
  return { choice: undefined, leftOut: [] };
}

function isAllowed(choice: Exclude<BodyToolChoice, string>): choice is z.output<typeof allowed> {
  return choice.type === "allowed_tools";
}

function isNamed(choice: Exclude<BodyToolChoice, string>): choice is z.output<typeof named> {
  return choice.type === "function" || choice.type === "custom";
}
