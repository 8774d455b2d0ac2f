import { type ChatEvent, completed, type FinishedEvent, finished, started } from "../chat/stream/events.ts";
import { settleFinishReason } from "../chat/stream/finish-reason.ts";
import type { StreamValidator } from "../chat/stream/stream-validator.ts";
import { GatewayError } from "../errors.ts";
import type { ChatRequest } from "../gen/dragoman/v1/chat_request_pb.js";
import { FinishReason } from "../gen/dragoman/v1/completion_pb.js";
import type { ChatCompleted } from "../gen/dragoman/v1/stream_pb.js";
import { type Usage, UsageQuality } from "../gen/dragoman/v1/usage_pb.js";
import type { Warning } from "../gen/dragoman/v1/warning_pb.js";
import { completeUsage, estimateUsage } from "../tokens/usage-estimate.ts";

export type CompletedEvent = Extract<ChatEvent, { case: "completed" }>;

/** End of a response with its usage. */
export interface SettledEvent extends CompletedEvent {
  readonly value: ChatCompleted & { usage: Usage };
}

/** Corrects what providers report at the end of a response. Returns an event itself if there is nothing to correct. */
export interface EndSettler {
  /** Corrects a finish reason that does not fit the content. `batch`: the one that has the event. */
  finished(event: FinishedEvent, batch: readonly ChatEvent[]): FinishedEvent;
  /** Completes the usage: totals that the provider does not report are estimated. */
  completed(event: CompletedEvent): SettledEvent;
}

/** Creates the settler of one response. The validator must have accepted all events before those that it settles. */
export function createEndSettler(request: ChatRequest, validator: StreamValidator): EndSettler {
  const inferred = new Set<string>();
  return {
    finished(event, batch) {
      const { finishReason, choiceIndex } = event.value;
      const kinds = validator.kindsOf(choiceIndex);
      const settled = settleFinishReason(finishReason, { kinds, isFull: isFull(request, usageIn(batch)) });
      if (settled.inferred !== undefined) inferred.add(settled.inferred);
      if (settled.reason === finishReason) return event;
      return { case: "finished", value: { ...event.value, finishReason: settled.reason } };
    },
    completed(event) {
      const { usage: reported, warnings } = event.value;
      const usage =
        reported === undefined
          ? estimateUsage(request, validator.outputCharacters, UsageQuality.ESTIMATED)
          : completeUsage(reported, request, validator.outputCharacters);
      if (usage === reported && inferred.size === 0) return event as SettledEvent;
      const added = [...inferred].map(inferredWarning);
      return { case: "completed", value: { ...event.value, usage, warnings: [...warnings, ...added] } };
    },
  };
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
