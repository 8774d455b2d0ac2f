import { invalidRequest } from "../../errors.ts";
import { type Tool, ToolChoiceMode } from "../../gen/dragoman/v1/tool_pb.js";
import type { Draft, DraftWarning } from "./draft.ts";
import type { PlanningContext } from "./planning-context.ts";
import { canRun } from "./provider-tools.ts";

/**
 * Replaces tools of another HTTP API with those of the target's provider. Leaves out an optional tool that the provider
 * does not have.
 *
 * Runs before every step that reads tools.
 */
export function placeTools(draft: Draft, context: PlanningContext): Draft {
  const { request } = draft;
  const equivalents = context.extras?.equivalentTools;
  if (equivalents === undefined || equivalents.size === 0) return draft;
  const warnings: DraftWarning[] = [];
  const kept: { readonly tool: Tool; readonly index: number }[] = [];
  for (const [index, tool] of request.tools.entries()) {
    const { tools = [], isOptional = false } = equivalents.get(index) ?? {};
    const own = tools.find(({ kind }) => kind.case === "providerTool" && canRun(kind.value, context));
    if (own === undefined && isOptional) warnings.push(leftOut(index, context));
    else kept.push({ tool: own ?? tool, index });
  }
  const tools = kept.map(({ tool }) => tool);
  const toolOrigins = kept.map(({ index }) => index);
  const next = { ...draft, toolOrigins, warnings: [...draft.warnings, ...warnings], request: { ...request, tools } };
  if (tools.length > 0) return next;
  const { toolChoice, ...withoutChoice } = next.request;
  const { choice } = toolChoice ?? {};
  if (choice?.case === "mode" && choice.value === ToolChoiceMode.REQUIRED) {
    const description = `requires a tool call, but ${context.model.provider} does not have the only tool; add a function`;
    throw invalidRequest([{ field: ["tool_choice", "mode"], description }]);
  }
  return { ...next, request: withoutChoice };
}

function leftOut(index: number, { model: { provider } }: PlanningContext): DraftWarning {
  const message = `Dragoman cannot run this tool at ${provider}; it is left out`;
  return { reason: "LEFT_OUT", field: ["tools", index], message };
}
