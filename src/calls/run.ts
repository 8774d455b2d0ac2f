import { create } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ChatEvent } from "../chat/stream/events.ts";
import { createJsonCheck } from "../chat/stream/json-check.ts";
import { TimeInfoSchema } from "../gen/dragoman/v1/completion_pb.js";
import type { ChatCompleted, ChatStarted } from "../gen/dragoman/v1/stream_pb.js";
import { UsageQuality } from "../gen/dragoman/v1/usage_pb.js";
import { startAttempt } from "../routing/attempt.ts";
import { estimateUsage, partialUsage } from "../tokens/usage-estimate.ts";
import type { Call } from "./call.ts";
import type { Plan } from "./plan.ts";

/** A plan being carried out. */
export interface Conversation {
  readonly events: AsyncIterable<readonly ChatEvent[]>;
  /**
   * The events of a batch with what only the call knows. Throws where they are not what was asked for. The events that
   * the adapter made stay as they are: it may give the same ones to another call.
   */
  complete(batch: readonly ChatEvent[]): readonly ChatEvent[];
}

/**
 * Carries out a plan. Batches stay as they arrived, and the provider is pulled from only when `events` is. `asWhole`
 * tells that nobody waits for the parts.
 */
export function converse(plan: Plan, call: Call, asWhole: boolean): Conversation {
  const { request, model, adapter, prompt } = plan;
  const { attempt, guard, events } = startAttempt(adapter, request, model, call.signal, asWhole, prompt);
  const checkJson = createJsonCheck(plan.outputFormat, plan.checksSchema);
  let answered = false;
  const completeEvent = (event: ChatEvent): ChatEvent => {
    if (event.case === "started") {
      answered = true;
      return { case: "started", value: announce(event.value, plan, call) };
    }
    if (event.case !== "completed") return event;
    const usage = event.value.usage ?? estimateUsage(request, guard.outputCharacters, UsageQuality.ESTIMATED);
    call.facts.usage = () => usage;
    return { case: "completed", value: close({ ...event.value, usage }, call) };
  };
  call.facts.attempts = [attempt];
  call.facts.usage = (error) => {
    const asked = answered || error?.reason === "CANCELLED" || error?.reason === "DEADLINE_EXCEEDED";
    return asked ? partialUsage(request, guard.outputCharacters) : undefined;
  };
  return {
    events,
    complete(batch) {
      if (call.facts.firstOutputMs === undefined && guard.outputStarted) call.facts.firstOutputMs = call.elapsedMs;
      if (checkJson) batch.forEach(checkJson);
      return batch.every(({ case: kind }) => kind === "delta") ? batch : batch.map(completeEvent);
    },
  };
}

function announce(started: ChatStarted, plan: Plan, call: Call): ChatStarted {
  return {
    ...started,
    id: call.id,
    model: plan.model.id,
    provider: plan.model.provider,
    createTime: timestampFromDate(call.startTime),
    effectiveParameters: plan.effectiveParameters,
    warnings: [...plan.warnings, ...started.warnings],
  };
}

function close(completed: ChatCompleted, call: Call): ChatCompleted {
  const timeInfo = completed.timeInfo ? { ...completed.timeInfo } : create(TimeInfoSchema);
  if (call.facts.firstOutputMs !== undefined) {
    timeInfo.firstOutputDuration = durationFromMs(Math.round(call.facts.firstOutputMs));
  }
  timeInfo.totalDuration = durationFromMs(Math.round(call.elapsedMs));
  return { ...completed, timeInfo, attempts: [...call.facts.attempts] };
}
