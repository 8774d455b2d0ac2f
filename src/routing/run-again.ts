import { append } from "../append.ts";
import type { Attempt } from "../gen/dragoman/v1/attempt_pb.js";
import type { TargetRun } from "./choices.ts";

/** Further run of a call, after its first one failed. */
export interface FurtherRun<Event> {
  readonly run: TargetRun<Event>;
  /** Called once, with the first output of the run. */
  onOutput(): void;
}

/** Decides about a further run. Undefined: none, the failure is that of the call. */
type RunAgain<Event> = (failure: unknown, failed: TargetRun<Event>) => Promise<FurtherRun<Event> | undefined>;

/**
 * Runs once more if the first run fails before its first output and `runAgain` returns a further run. There are at most
 * two runs. Each has an Attempt for each of its upstream requests.
 *
 * @param toError converts the failure of the last run before its first output to the error of the call
 */
export function withRunAgain<Event>(
  first: TargetRun<Event>,
  runAgain: RunAgain<Event>,
  toError: (failure: unknown) => unknown,
): TargetRun<Event> {
  const attempts: Attempt[] = [...first.attempts];
  let run = first;
  let batches = first.events[Symbol.asyncIterator]();
  let isCommitted = false;

  type Batch = IteratorResult<readonly Event[]>;

  async function firstBatch(): Promise<Batch> {
    isCommitted = true;
    try {
      return await batches.next();
    } catch (failure) {
      const further = await runAgain(failure, first);
      if (further === undefined) throw toError(failure);
      return await firstBatchOf(further);
    }
  }

  async function firstBatchOf(further: FurtherRun<Event>): Promise<Batch> {
    run = further.run;
    append(attempts, run.attempts);
    batches = run.events[Symbol.asyncIterator]();
    try {
      const batch = await batches.next();
      further.onOutput();
      return batch;
    } catch (failure) {
      throw toError(failure);
    }
  }

  // Not a generator, which would cost as much for each delta as the rest of the stream.
  const iterator: AsyncIterator<readonly Event[]> = {
    next: () => (isCommitted ? batches.next() : firstBatch()),
    return: async () => (await batches.return?.()) ?? { done: true, value: undefined },
  };
  return {
    attempts,
    events: { [Symbol.asyncIterator]: () => iterator },
    get outputCharacters() {
      return run.outputCharacters;
    },
    get outputSize() {
      return run.outputSize;
    },
    get waitsFor() {
      return run.waitsFor;
    },
    noteUsage() {
      first.noteUsage();
      if (run !== first) run.noteUsage();
    },
  };
}
