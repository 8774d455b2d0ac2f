import { create } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ChatEvent } from "../chat/stream/events.ts";
import { createJsonCheck } from "../chat/stream/json-check.ts";
import { GatewayError } from "../errors.ts";
import { TimeInfoSchema } from "../gen/dragoman/v1/completion_pb.js";
import type { ChatCompleted, ChatStarted } from "../gen/dragoman/v1/stream_pb.js";
import { UsageQuality } from "../gen/dragoman/v1/usage_pb.js";
import { runOnTarget } from "../routing/choices.ts";
import { estimateUsage, partialUsage } from "../tokens/usage-estimate.ts";
import type { Call } from "./call.ts";
import type { Plan } from "./plan.ts";

/** Running upstream requests of a plan. */
interface Run {
  readonly events: AsyncIterable<readonly ChatEvent[]>;
  /**
   * Returns the events of a batch with the facts of the call added, such as id, warnings and times. Throws if the text
   * is not the requested JSON. Copies events instead of modifying them, since an adapter may return the same objects to
   * several calls.
   */
  withCallFacts(batch: readonly ChatEvent[]): readonly ChatEvent[];
  /** Size of the output so far in bytes. */
  readonly outputSize: number;
}

/**
 * Sends the request of a plan upstream. `events` yields a batch of events for each read from the provider, and reads
 * only when its consumer does. `whole`: the caller wants a single response, not a stream.
 */
export function runPlan(plan: Plan, call: Call, whole: boolean): Run {
  const { request, target, prompt } = plan;
  const run = runOnTarget(target, request, {
    signal: call.signal,
    holder: call.holder,
    whole,
    prompt,
    onEnd: (attempt) => call.attemptEnded(attempt),
  });
  const checkJson = createJsonCheck(plan.outputFormat, plan.checksSchema);
  call.note({ attempts: run.attempts });
  call.explainDeadline(() => run.waitsFor);
  call.countUsage((error) => {
    const wasAborted = error?.reason === "CANCELLED" || error?.reason === "DEADLINE_EXCEEDED";
    const mayCost = run.accepted || (wasAborted && !run.isQueued);
    return mayCost ? partialUsage(request, run.outputCharacters) : undefined;
  });
  const withFacts = (event: ChatEvent): ChatEvent => {
    if (event.case === "started") return { case: "started", value: startedOf(event.value, plan, call) };
    if (event.case !== "completed") return event;
    const usage = event.value.usage ?? estimateUsage(request, run.outputCharacters, UsageQuality.ESTIMATED);
    call.countUsage(() => usage);
    return { case: "completed", value: completedOf({ ...event.value, usage }, call) };
  };
  return {
    events: run.events,
    get outputSize() {
      return run.outputSize;
    },
    withCallFacts(batch) {
      if (run.outputSize > call.maxAnswerBytes) throw answerTooLarge(call.maxAnswerBytes);
      if (call.firstOutputMs === undefined && run.outputCharacters > 0) call.outputStarted();
      if (checkJson) batch.forEach(checkJson);
      return batch.every(({ case: kind }) => kind === "delta") ? batch : batch.map(withFacts);
    },
  };
}

function answerTooLarge(maxBytes: number): GatewayError {
  const message = `the response exceeds limits.max_answer_size, ${maxBytes} bytes; lower max_output_tokens`;
  return new GatewayError("ANSWER_TOO_LARGE", message);
}

function startedOf(started: ChatStarted, plan: Plan, call: Call): ChatStarted {
  const { model } = plan.target;
  return {
    ...started,
    id: call.id,
    model: model.id,
    provider: model.provider,
    createTime: timestampFromDate(call.startTime),
    effectiveParameters: plan.effectiveParameters,
    warnings: [...plan.warnings, ...started.warnings],
  };
}

function completedOf(completed: ChatCompleted, call: Call): ChatCompleted {
  const timeInfo = completed.timeInfo ? { ...completed.timeInfo } : create(TimeInfoSchema);
  if (call.firstOutputMs !== undefined) timeInfo.firstOutputDuration = durationFromMs(Math.round(call.firstOutputMs));
  timeInfo.totalDuration = durationFromMs(Math.round(call.elapsedMs));
  return { ...completed, timeInfo, attempts: [...call.attempts] };
}
