import { create } from "@bufbuild/protobuf";
import type { ChatEvent } from "../../../src/chat/stream/events.ts";
import { textDelta } from "../../../src/chat/stream/events.ts";
import { GatewayError } from "../../../src/errors.ts";
import type { Model } from "../../../src/gen/dragoman/v1/model_pb.js";
import { UsageSchema } from "../../../src/gen/dragoman/v1/usage_pb.js";
import { attemptFailure } from "../../../src/routing/attempt-failure.ts";
import { AttemptRecord } from "../../../src/routing/attempt-record.ts";
import type { TargetRun } from "../../../src/routing/choices.ts";
import type { Clock } from "../../../src/routing/clock.ts";
import type { RunParameters } from "../../../src/routing/started-attempt.ts";
import type { Ending } from "./script.ts";
import type { Moment, TracedAttempt } from "./trace.ts";

const usage = create(UsageSchema, { inputTokens: 1 });

/** Runs an attempt as its script says: in the steps of `startAttempt`, with its real record. */
export function scriptedRun(
  traced: TracedAttempt,
  model: Model,
  parameters: RunParameters,
  clock: Clock,
  moment: () => Moment,
): TargetRun {
  const { signal, onBegin, onOutput, onEnd } = parameters;
  const { queueMs, firstMs, gapsMs, end } = traced.behavior;
  const queue = { waitsFor: undefined as string | undefined };
  const record = new AttemptRecord(
    model,
    {
      signal,
      onOutput: (attempt) => {
        if (!signal.aborted) traced.output = moment();
        onOutput(attempt);
      },
      onEnd: (attempt) => {
        const { outcome, failureReason: reason } = attempt;
        if (signal.aborted && outcome !== 1) traced.abort ??= { ...moment(), reason: signal.reason };
        traced.ends.push({ ...moment(), outcome, reason });
        onEnd(attempt);
      },
    },
    parameters.key?.name,
  );
  const { attempt } = record;
  traced.hasUsage = () => attempt.usage !== undefined;

  async function* run(): AsyncGenerator<readonly ChatEvent[]> {
    record.begin();
    onBegin(attempt, queue);
    try {
      if (queueMs > 0) {
        queue.waitsFor = "a connection";
        await pause(queueMs, clock, signal);
        queue.waitsFor = undefined;
      }
      await pause(firstMs, clock, signal);
      if (end.kind === "fail" && end.when === "before") throw errorOf(end);
      record.output();
      for (const [index, gapMs] of [...gapsMs, 0].entries()) {
        const isLast = index === gapsMs.length;
        if (!parameters.whole || isLast) {
          const batch = [textDelta(0, 0, "text")];
          if (isLast) {
            if (end.kind === "fail") throw errorOf(end);
            record.answered(usage, "", "");
          }
          if (traced.batches.length === 0) signal.throwIfAborted();
          traced.batches.push(batch);
          yield batch;
        }
        if (!isLast) await pause(gapMs, clock, signal);
      }
    } catch (error) {
      const failure = attemptFailure(signal.aborted ? signal.reason : error, attempt, traced.output !== undefined);
      if (!signal.aborted) traced.failure = { ...moment(), error: failure };
      parameters.onFailure(failure);
      record.failed(failure.reason);
      throw failure;
    } finally {
      record.end();
    }
  }

  return {
    attempts: [attempt],
    events: run(),
    outputCharacters: 0,
    outputSize: 0,
    get waitsFor() {
      return queue.waitsFor;
    },
    noteUsage() {
      attempt.usage ??= usage;
    },
  };
}

function errorOf({ reason, retryAfterMs, retryHere, isInterruption }: Extract<Ending, { kind: "fail" }>): Error {
  if (reason === "thrown") return new Error("a fault of the adapter");
  return new GatewayError(reason, "a failure of the script", {
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(!retryHere && { retryHere }),
    ...(isInterruption && { interruption: "the response broke" }),
  });
}

/** Waits. Rejects as soon as the signal is aborted. */
export function pause(ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const onAbort = () => {
      cancel();
      reject(signal.reason);
    };
    signal.addEventListener("abort", onAbort);
    const cancel =
      ms === Number.POSITIVE_INFINITY
        ? () => {}
        : clock.after(ms, () => {
            signal.removeEventListener("abort", onAbort);
            resolve();
          });
  });
}
