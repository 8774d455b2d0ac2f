import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { ProviderTool } from "../../gen/dragoman/v1/tool_pb.js";
import type { Adaptation } from "./adaptations.ts";
import type { PlanningContext } from "./planning-context.ts";

type Target = Pick<PlanningContext, "model" | "dialect" | "accepts">;

/** Whether a target runs a tool of a provider. */
export function canRun(
  tool: Pick<ProviderTool, "provider">,
  { model: { provider }, dialect, accepts }: Target,
): boolean {
  return (tool.provider === provider || tool.provider === dialect) && accepts.has("provider_tools");
}

/**
 * Rejects tools that a provider runs: those of another provider, and those that the adapter does not send. A provider
 * that the configuration adds by a dialect takes the tools of its dialect too.
 */
export function* providerToolAdaptations({ tools }: ChatRequest, target: Target): Generator<Adaptation> {
  const {
    model: { provider },
    dialect,
  } = target;
  for (const [index, { kind }] of tools.entries()) {
    if (kind.case !== "providerTool" || canRun(kind.value, target)) continue;
    const path = ["tools", index, "provider_tool"];
    const other = kind.value.provider;
    if (other !== provider && other !== dialect) {
      const message = `the tool is one of ${other}, but the request goes to ${provider}; omit it or call a model of ${other}`;
      yield { kind: "REJECTED", field: [...path, "provider"], message };
    } else {
      const message = `Dragoman does not support tools that ${provider} runs yet; use a function tool`;
      yield { kind: "REJECTED", field: path, message };
    }
  }
}
