import { create } from "@bufbuild/protobuf";
import { ToolChoiceSchema } from "../../gen/dragoman/v1/tool_pb.js";
import { type Adaptation, lostHint } from "./adaptations.ts";
import { adapt, type Draft } from "./draft.ts";
import type { PlanningContext } from "./planning-context.ts";

/**
 * Sends only the allowed functions, with the mode of `tool_choice.allowed_tools`, if the provider's API has no such
 * choice. Adapters get `allowed_tools` only if they declare it. Tools that the provider runs are no functions, so the
 * choice says nothing about them, and they stay.
 *
 * Runs before every step that checks support.
 */
export function keepAllowedTools(
  draft: Draft,
  { takesAllowedTools, model }: Pick<PlanningContext, "takesAllowedTools" | "model">,
): Draft {
  const { request } = draft;
  const choice = request.toolChoice?.choice;
  if (choice?.case !== "allowedTools" || takesAllowedTools) return draft;
  const { mode, toolNames } = choice.value;
  const allowed = new Set(toolNames);
  const kept = request.tools.flatMap(({ kind }, index) =>
    kind.case === "providerTool" || (kind.case === "function" && allowed.has(kind.value.name)) ? index : [],
  );
  const toolOrigins = kept.map((index) => draft.toolOrigins?.[index] ?? index);
  const tools = kept.flatMap((index) => request.tools[index] ?? []);
  const toolChoice = create(ToolChoiceSchema, { choice: { case: "mode", value: mode } });
  const message = `${model.provider} does not support allowed_tools; Dragoman sends only the allowed functions`;
  const hints = request.tools.flatMap(({ cacheHint }, index): readonly Adaptation[] => {
    if (cacheHint === undefined || kept.includes(index)) return [];
    return [lostHint(["tools", index], "this tool is not allowed")];
  });
  return adapt({ ...draft, toolOrigins, request: { ...request, tools, toolChoice } }, [
    { kind: "EMULATED", field: ["tool_choice", "allowed_tools"], message },
    ...hints,
  ]);
}
