import { type ChatEvent, completed, finished, started } from "../chat/stream/events.ts";
import { settleFinishReason } from "../chat/stream/finish-reason.ts";
import type { StreamValidator } from "../chat/stream/stream-validator.ts";
import { GatewayError } from "../errors.ts";
import type { ChatRequest } from "../gen/dragoman/v1/chat_request_pb.js";
import { FinishReason } from "../gen/dragoman/v1/completion_pb.js";
import type { Usage } from "../gen/dragoman/v1/usage_pb.js";
import type { Warning } from "../gen/dragoman/v1/warning_pb.js";
import { completeUsage } from "../tokens/usage-estimate.ts";

/** Event that ends a choice or the response. */
type EndEvent = Extract<ChatEvent, { case: "finished" | "completed" }>;

/**
 * Returns a function that corrects what providers report at the end of a response: finish reasons that do not fit the
 * content, and usage with unknown totals. It returns the event itself if there is nothing to correct. The validator
 * must have accepted all earlier events.
 *
 * @returns a function of the event and the batch that has it
 */
export function createEndSettler(
  request: ChatRequest,
  validator: StreamValidator,
): (event: EndEvent, batch: readonly ChatEvent[]) => EndEvent {
  const inferred = new Set<string>();

  function settleFinished(event: Extract<EndEvent, { case: "finished" }>, batch: readonly ChatEvent[]): EndEvent {
    const { finishReason, choiceIndex } = event.value;
    const kinds = validator.kindsOf(choiceIndex);
    const settled = settleFinishReason(finishReason, { kinds, isFull: isFull(request, usageIn(batch)) });
    if (settled.inferred !== undefined) inferred.add(settled.inferred);
    if (settled.reason === finishReason) return event;
    return { case: "finished", value: { ...event.value, finishReason: settled.reason } };
  }

  function settleCompleted(event: Extract<EndEvent, { case: "completed" }>): EndEvent {
    const { usage: reported, warnings } = event.value;
    const usage = reported && completeUsage(reported, request, validator.outputCharacters);
    if (usage === reported && inferred.size === 0) return event;
    const added = [...inferred].map(inferredWarning);
    return { case: "completed", value: { ...event.value, ...(usage && { usage }), warnings: [...warnings, ...added] } };
  }

  return (event, batch) => (event.case === "finished" ? settleFinished(event, batch) : settleCompleted(event));
}

function inferredWarning(message: string): Warning {
  return { $typeName: "dragoman.v1.Warning", reason: "INFERRED", field: "", message };
}

/**
 * Returns the usage of the event `completed`, which comes in the same batch as `finished` if both are known together.
 */
function usageIn(batch: readonly ChatEvent[]): Usage | undefined {
  const last = batch.at(-1);
  return last?.case === "completed" ? last.value.usage : undefined;
}

/** Whether the only choice has as many tokens as the request allows. */
function isFull({ parameters }: ChatRequest, usage: Usage | undefined): boolean {
  const { maxOutputTokens, n = 1 } = parameters ?? {};
  return maxOutputTokens !== undefined && n === 1 && (usage?.outputTokens ?? 0) >= maxOutputTokens;
}

/**
 * Returns the rest of a response that a content filter ended with an error, or undefined if the error is another one. A
 * blocked prompt or output is never an error of the call.
 *
 * @param heldChoices choices whose text so far is held back, so that the validator does not know them
 */
export function filteredEnd(
  error: unknown,
  validator: StreamValidator,
  heldChoices: readonly number[],
): readonly ChatEvent[] | undefined {
  const facts = error instanceof GatewayError ? error.facts : {};
  const { contentFilter: word, filterMetadataJson: providerMetadataJson = "" } = facts;
  if (word === undefined) return undefined;
  const ends = Array.from(validator.openChoices(heldChoices), (index) =>
    finished(index, FinishReason.CONTENT_FILTER, word, "", { providerMetadataJson }),
  );
  return [...(validator.accepted ? [] : [started()]), ...ends, completed()];
}
