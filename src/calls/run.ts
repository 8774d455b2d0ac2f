import { create } from "@bufbuild/protobuf";
import { durationFromMs, durationMs, timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ChatEvent } from "../chat/stream/events.ts";
import { createJsonCheck, returnsInvalid } from "../chat/stream/json-check.ts";
import { restoreToolNames } from "../chat/stream/restore-tool-names.ts";
import { GatewayError } from "../errors.ts";
import { TimeInfoSchema } from "../gen/dragoman/v1/completion_pb.js";
import type { ChatCompleted, ChatStarted } from "../gen/dragoman/v1/stream_pb.js";
import { UsageQuality } from "../gen/dragoman/v1/usage_pb.js";
import { profileValues } from "../profiles/select-profile.ts";
import { runOnTarget, type TargetRun } from "../routing/choices.ts";
import { type FurtherRun, withRunAgain } from "../routing/run-again.ts";
import { estimateUsage } from "../tokens/usage-estimate.ts";
import type { Call } from "./call.ts";
import { learnFrom, nameRejected } from "./learn.ts";
import type { Plan } from "./plan.ts";
import { returnRejected } from "./return-rejected.ts";

/** Running upstream requests of a plan. */
interface Run {
  readonly events: AsyncIterable<readonly ChatEvent[]>;
  /**
   * Returns the events of a batch with the facts of the call added, such as id, warnings and times. If the text is not
   * the requested JSON, throws or adds the violation. Copies events instead of modifying them, since an adapter may
   * return the same objects to several calls.
   */
  withCallFacts(batch: readonly ChatEvent[]): readonly ChatEvent[];
  /** Size of the output so far in bytes. */
  readonly outputSize: number;
}

/**
 * Sends the request of a plan upstream. `events` yields a batch of events for each read from the provider, and reads
 * only when its consumer does. `whole`: the caller wants a single response, not a stream.
 */
export function runPlan(first: Plan, call: Call, whole: boolean): Run {
  let plan = first;
  const runOnce = ({ target, request, prompt, stops }: Plan): TargetRun =>
    runOnTarget(target, request, {
      signal: call.signal,
      holder: call.holder,
      whole,
      prompt,
      stops,
      elapsedMs: () => call.elapsedMs,
      onEnd: (attempt) => call.attemptEnded(attempt),
    });
  const run = withRunAgain(runOnce(plan), withoutRejected, (failure) => nameRejected(failure, plan));

  /** Runs once more without fields that the provider rejected, if the caller wrote none of them. */
  async function withoutRejected(failure: unknown, { attempts }: TargetRun): Promise<FurtherRun | undefined> {
    const learned = learnFrom(failure, plan, call.learned.untilMs());
    // Another attempt can hardly be faster than a rejection.
    const neededMs = Math.max(...attempts.map(({ duration }) => (duration === undefined ? 0 : durationMs(duration))));
    if (learned === undefined || !call.hasTimeFor(neededMs)) return undefined;
    const { target } = plan;
    plan = await plan.revise(learned);
    call.signal.throwIfAborted();
    return { run: runOnce(plan), onOutput: () => call.learned.add(target, learned) };
  }

  const { request } = first;
  const checkJson = createJsonCheck(plan.outputFormat, plan.checksSchema);
  call.note({ attempts: run.attempts });
  call.explainDeadline(() => run.waitsFor);
  call.countUsage(() => run.usageSoFar());
  const withFacts = (event: ChatEvent): ChatEvent => {
    if (event.case === "started") return { case: "started", value: startedOf(event.value, plan, call) };
    if (event.case !== "completed") return event;
    const usage = event.value.usage ?? estimateUsage(request, run.outputCharacters, UsageQuality.ESTIMATED);
    call.countUsage(() => usage);
    return { case: "completed", value: completedOf({ ...event.value, usage }, call) };
  };
  return {
    events: returnsInvalid(plan.outputFormat) ? returnRejected(run.events, request) : run.events,
    get outputSize() {
      return run.outputSize;
    },
    withCallFacts(batch) {
      if (run.outputSize > call.maxAnswerBytes) throw answerTooLarge(call.maxAnswerBytes);
      if (call.firstOutputMs === undefined && run.outputCharacters > 0) call.outputStarted();
      const checked = checkJson ? batch.map(checkJson) : batch;
      const named = plan.toolNames ? restoreToolNames(checked, plan.toolNames) : checked;
      return named.every(({ case: kind }) => kind === "delta") ? named : named.map(withFacts);
    },
  };
}

function answerTooLarge(maxBytes: number): GatewayError {
  const message = `the response exceeds limits.max_answer_size, ${maxBytes} bytes; lower the output limit`;
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
    profile: profileValues[plan.profile.name],
    warnings: [...plan.warnings, ...started.warnings],
  };
}

function completedOf(completed: ChatCompleted, call: Call): ChatCompleted {
  const timeInfo = completed.timeInfo ? { ...completed.timeInfo } : create(TimeInfoSchema);
  if (call.firstOutputMs !== undefined) timeInfo.firstOutputDuration = durationFromMs(Math.round(call.firstOutputMs));
  timeInfo.totalDuration = durationFromMs(Math.round(call.elapsedMs));
  return { ...completed, timeInfo, attempts: [...call.attempts] };
}
