import { type ChatEvent, completed, finished, started, textDelta } from "../chat/stream/events.ts";
import { outputViolation } from "../chat/stream/schema-violation.ts";
import { GatewayError } from "../errors.ts";
import type { ChatRequest } from "../gen/dragoman/v1/chat_request_pb.js";
import { FinishReason } from "../gen/dragoman/v1/completion_pb.js";
import type { Usage } from "../gen/dragoman/v1/usage_pb.js";

/**
 * Passes events on. If the provider rejects the model's output because it is not the requested JSON, returns that
 * output with a violation, for ON_INVALID_RETURN. The error remains if there was output already, or if the request has
 * several choices, because a provider returns only one invalid output.
 *
 * @param charge returns the usage of the output, of which the provider reports none
 */
export async function* returnRejected(
  events: AsyncIterable<readonly ChatEvent[]>,
  request: ChatRequest,
  charge: (outputCharacters: number) => Usage,
): AsyncGenerator<readonly ChatEvent[]> {
  let isAnswering = false;
  try {
    for await (const batch of events) {
      isAnswering = true;
      yield batch;
    }
  } catch (error) {
    if (isAnswering || (request.parameters?.n ?? 1) > 1 || !(error instanceof GatewayError)) throw error;
    const { failedGeneration: text, provider } = error.facts;
    if (error.reason !== "JSON_GENERATION_FAILED" || text === undefined) throw error;
    const end = finished(0, FinishReason.OTHER, provider?.code ?? "");
    if (end.case === "finished") {
      end.value.outputViolation = outputViolation("the provider rejected the output: it is not the requested JSON");
    }
    yield [started(), ...(text === "" ? [] : [textDelta(0, 0, text)]), end, completed({ usage: charge(text.length) })];
  }
}
