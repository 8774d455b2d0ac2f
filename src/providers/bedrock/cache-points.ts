import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import { ToolChoiceMode } from "../../gen/dragoman/v1/tool_pb.js";
import { claudeBreakpoints, type HintPlace, type HintRules, keptHints, lifeOf } from "../kit/cache-hints.ts";
import type { ModelRules } from "./model-rules.ts";
import type { CachePoint } from "./wire.ts";

/**
 * Returns the cache point (prompt cache breakpoint) to put after a tool or part. Empty without a hint, if
 * the model does not support cache points, and for all but the last four hints.
 */
export type Marker = (...place: HintPlace) => readonly CachePoint[];

export function createMarker(request: ChatRequest, rules: ModelRules): Marker {
  if (!rules.marks) return () => [];
  const kept = keptHints(request, hintRules(request, rules));
  return (...place) => {
    const hint = kept(...place);
    return hint === undefined ? [] : [{ cachePoint: { type: "default", ...lifeOf(hint) } }];
  };
}

export function hintRules(request: ChatRequest, { claude }: ModelRules): HintRules {
  const areOmitted = !claude && request.toolChoice?.choice.value === ToolChoiceMode.NONE;
  return {
    title: "Bedrock",
    most: claudeBreakpoints,
    hasLives: true,
    toolProblem: () => (areOmitted ? "the tools are omitted, and the cache hint with them" : undefined),
  };
}
