import { create } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ChatEvent } from "../chat/events.ts";
import { createJsonCheck } from "../chat/json-answer.ts";
import { estimateUsage, partialUsage } from "../chat/usage.ts";
import { TimeInfoSchema } from "../gen/dragoman/v1/completion_pb.js";
import type { ChatCompleted, ChatStarted } from "../gen/dragoman/v1/stream_pb.js";
import { UsageQuality } from "../gen/dragoman/v1/usage_pb.js";
import { startAttempt } from "../routing/attempt.ts";
import type { Call } from "./call.ts";
import type { Plan } from "./plan.ts";

/** A plan being carried out. */
export interface Conversation {
  readonly events: AsyncIterable<readonly ChatEvent[]>;
  /** Completes the events of a batch with what only the call knows, and throws where they are not what was asked for. */
  complete(batch: readonly ChatEvent[]): void;
}

/**
 * Carries out a plan. Batches stay as they arrived, and the provider is pulled from only when `events` is. `asWhole`
 * tells that nobody waits for the parts.
 */
export function converse(plan: Plan, call: Call, asWhole: boolean): Conversation {
  const { request, model, adapter } = plan;
  const { attempt, guard, events } = startAttempt(adapter, request, model, call.signal, asWhole);
  const checkJson = createJsonCheck(request.outputFormat);
  let answered = false;
  call.facts.attempts = [attempt];
  call.facts.usage = (error) => {
    const asked = answered || error?.reason === "CANCELLED" || error?.reason === "DEADLINE_EXCEEDED";
    return asked ? partialUsage(request, guard.outputCharacters) : undefined;
  };
  return {
    events,
    complete(batch) {
      if (call.facts.firstOutputMs === undefined && guard.outputStarted) call.facts.firstOutputMs = call.elapsedMs;
      for (const event of batch) {
        checkJson?.(event);
        if (event.case === "started") {
          answered = true;
          announce(event.value, plan, call);
        } else if (event.case === "completed") {
          event.value.usage ??= estimateUsage(request, guard.outputCharacters, UsageQuality.ESTIMATED);
          const { usage } = event.value;
          call.facts.usage = () => usage;
          close(event.value, call);
        }
      }
    },
  };
}

function announce(started: ChatStarted, plan: Plan, call: Call): void {
  started.id = call.id;
  started.model = plan.model.id;
  started.provider = plan.model.provider;
  started.createTime = timestampFromDate(call.startTime);
  started.effectiveParameters = plan.effectiveParameters;
  started.warnings = [...plan.warnings, ...started.warnings];
}

function close(completed: ChatCompleted, call: Call): void {
  completed.timeInfo ??= create(TimeInfoSchema);
  if (call.facts.firstOutputMs !== undefined) {
    completed.timeInfo.firstOutputDuration = durationFromMs(Math.round(call.facts.firstOutputMs));
  }
  completed.timeInfo.totalDuration = durationFromMs(Math.round(call.elapsedMs));
  completed.attempts = [...call.facts.attempts];
}
