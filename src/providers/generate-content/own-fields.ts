import type { OwnField } from "../../chat/planning/learned.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { ReasoningFormat } from "../../gen/dragoman/v1/reasoning_pb.js";
import { modelRules, toThinkingConfig } from "./model-rules.ts";

/** How a body differs from that of a target that accepts all of Dragoman's own fields. */
export interface BodyForm {
  readonly thoughts: "included" | "unset";
}

export const usualForm: BodyForm = { thoughts: "included" };

export const includeThoughts = "generationConfig.thinkingConfig.includeThoughts";

/**
 * Returns the fields of a body that the caller did not request. A requested reasoning format needs `includeThoughts`.
 */
export function ownFields({ reasoning }: ChatRequest, model: Model, { thoughts }: BodyForm): readonly OwnField[] {
  const isOwn = (reasoning?.format ?? ReasoningFormat.UNSPECIFIED) === ReasoningFormat.UNSPECIFIED;
  const isSent = thoughts === "included" && toThinkingConfig(reasoning, modelRules(model)) !== undefined;
  return isOwn && isSent ? [{ name: includeThoughts, field: ["reasoning", "format"] }] : [];
}
