import { type ChatRequest, ChatRequestSchema } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import { ReasoningEffort } from "../../gen/dragoman/v1/reasoning_pb.js";
import type { Adaptation } from "./adaptations.ts";
import { isFieldSet } from "./with-field.ts";

/** Fields without which the response would be too different. */
const essential: readonly string[] = [
  "tools",
  "tool_choice",
  "output_format",
  "chat_template",
  "continue_last_message",
];

/** Returns the adaptations for fields that, by the configuration, the model does not support. */
export function* declaredAdaptations(
  request: ChatRequest,
  { id, reasoningEfforts }: Model,
  unsupported: readonly string[],
): Generator<Adaptation> {
  for (const name of unsupported) {
    const field = name.split(".");
    if (!isFieldSet(ChatRequestSchema, request, field)) continue;
    const kind = essential.includes(field[0] ?? "") ? "REJECTED" : "UNSUPPORTED_PARAMETER";
    yield { kind, field, message: `${id} does not support ${name}, by the configuration of this service` };
  }
  const { control } = request.reasoning ?? {};
  if (reasoningEfforts.length === 0 || control?.case !== "effort" || reasoningEfforts.includes(control.value)) return;
  const words = reasoningEfforts.map((effort) => ReasoningEffort[effort]?.toLowerCase()).join(", ");
  const message = `${id} supports only the reasoning efforts ${words}, by the configuration of this service`;
  yield { kind: "REJECTED", field: ["reasoning", "effort"], message };
}
