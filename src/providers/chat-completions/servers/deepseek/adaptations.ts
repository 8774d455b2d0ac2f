import type { Adaptation } from "../../../../chat/planning/adaptations.ts";
import type { ChatRequest } from "../../../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../../../gen/dragoman/v1/model_pb.js";
import { ReasoningEffort } from "../../../../gen/dragoman/v1/reasoning_pb.js";
import { effortOf } from "../../fields.ts";
import { penaltyFields, probabilityFields, samplingFields, withoutFields } from "../../without-fields.ts";

/**
 * Drops fields that have no effect while the model reasons. DeepSeek's models reason unless the effort is NONE.
 * https://api-docs.deepseek.com/guides/thinking_mode
 */
export function deepSeekAdaptations(request: ChatRequest, model: Model): Generator<Adaptation> {
  const isReasoning = model.capabilities?.reasoning !== false && effortOf(request) !== ReasoningEffort.NONE;
  return withoutFields(
    request,
    model,
    isReasoning ? [...samplingFields, ...penaltyFields, ...probabilityFields] : [],
    "has no effect at DeepSeek while the model reasons; set the reasoning effort to none",
  );
}
