import { fromBinary } from "@bufbuild/protobuf";
import { StreamChatResponseSchema } from "../../src/gen/dragoman/v1/chat_service_pb.js";
import { quantile } from "../statistics.ts";
import { deltaText } from "../texts.ts";
import type { Caller } from "./caller.ts";
import type { Ask, LatencyJob, LatencyResult, LoadJob, LoadResult, PacedJob, PacedResult } from "./jobs.ts";

/** A load job ends after this many failures, so that a broken target does not receive calls for the rest of the run. */
const failureLimit = 100;

export async function runLoad(job: LoadJob, caller: Caller): Promise<LoadResult> {
  const { model, stream } = job.ask;
  const begin = performance.now();
  let calls = 0;
  let messages = 0;
  const failures: string[] = [];
  const work = async (): Promise<void> => {
    while (performance.now() - begin < job.durationMs && failures.length < failureLimit) {
      try {
        if (stream === undefined) await caller.complete(model);
        else {
          const result = await caller.stream({ model, ...stream });
          messages += result.messages;
        }
        calls++;
      } catch (error) {
        failures.push(String(error));
      }
    }
  };
  await Promise.all(Array.from({ length: job.concurrency }, work));
  const seconds = (performance.now() - begin) / 1000;
  return { calls, failures: failures.length, firstFailure: failures[0], messages, seconds };
}

async function timeOne(caller: Caller, { model, stream }: Ask): Promise<number> {
  if (stream !== undefined) return (await caller.stream({ model, ...stream })).firstDeltaMs;
  const begin = performance.now();
  await caller.complete(model);
  return performance.now() - begin;
}

export async function runLatency(job: LatencyJob, callers: readonly Caller[]): Promise<LatencyResult> {
  const times: number[][] = callers.map(() => []);
  for (let sample = 0; sample < job.samples; sample++) {
    for (const [index, caller] of callers.entries()) times[index]?.push(await timeOne(caller, job.ask));
  }
  return times;
}

/** Counts the expected words that are missing or out of order. Returns the number of surplus words if it is greater. */
function countLost(text: string, deltas: number): number {
  const words = text.split(" ");
  let lost = 0;
  // The text begins with a space, so words[0] is empty.
  for (let index = 0; index < deltas; index++) if (` ${words[index + 1]}` !== deltaText(index)) lost++;
  return Math.max(lost, words.length - 1 - deltas);
}

export async function runPaced(job: PacedJob, caller: Caller): Promise<PacedResult> {
  const begin = performance.now();
  const model = `bench-${job.deltas}-paced-${job.deltasPerSecond}`;
  const failures: string[] = [];
  const gaps: number[] = [];
  let lost = 0;
  let messages = 0;
  const read = async (): Promise<void> => {
    let text = "";
    let last = Number.NaN;
    const onDelta = (message: Uint8Array): void => {
      const { event } = fromBinary(StreamChatResponseSchema, message);
      if (event.case === "delta" && event.value.delta.case === "text") text += event.value.delta.value;
      const now = performance.now();
      if (!Number.isNaN(last)) gaps.push(now - last);
      last = now;
    };
    try {
      const result = await caller.stream({ model, keepProviderDeltas: false, onDelta });
      messages += result.messages;
    } catch (error) {
      failures.push(String(error));
    }
    lost += countLost(text, job.deltas);
  };
  const reads: Promise<void>[] = [];
  // The streams start at even intervals over one second, because real users do not all start at the same moment.
  for (let stream = 0; stream < job.streams; stream++) {
    reads.push(new Promise((resolve) => setTimeout(() => resolve(read()), (stream / job.streams) * 1000)));
  }
  await Promise.all(reads);
  return {
    failures: failures.length,
    firstFailure: failures[0],
    lost,
    messages,
    stalls: gaps.filter((gap) => gap > job.stallMs).length,
    gapP99Ms: quantile(gaps, 0.99),
    gapMaxMs: quantile(gaps, 1),
    seconds: (performance.now() - begin) / 1000,
  };
}
