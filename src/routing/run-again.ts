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
  return new RepeatableRun(first, runAgain, toError);
}

type Batch<Event> = IteratorResult<readonly Event[]>;

// A class, because an object with getters takes several microseconds to create. Its iterator is not a generator, which
// would cost as much for each delta as the rest of the stream.
class RepeatableRun<Event> implements TargetRun<Event>, AsyncIterable<readonly Event[]> {
  readonly attempts: Attempt[];
  readonly #first: TargetRun<Event>;
  readonly #runAgain: RunAgain<Event>;
  readonly #toError: (failure: unknown) => unknown;
  #run: TargetRun<Event>;
  #batches: AsyncIterator<readonly Event[]>;
  #isCommitted = false;

  constructor(first: TargetRun<Event>, runAgain: RunAgain<Event>, toError: (failure: unknown) => unknown) {
    this.attempts = [...first.attempts];
    this.#first = first;
    this.#runAgain = runAgain;
    this.#toError = toError;
    this.#run = first;
    this.#batches = first.events[Symbol.asyncIterator]();
  }

  get events(): AsyncIterable<readonly Event[]> {
    return this;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Batch<Event>> {
    return this.#isCommitted ? this.#batches.next() : this.#firstBatch();
  }

  async return(): Promise<Batch<Event>> {
    return (await this.#batches.return?.()) ?? { done: true, value: undefined };
  }

  get outputCharacters(): number {
    return this.#run.outputCharacters;
  }

  get outputSize(): number {
    return this.#run.outputSize;
  }

  get waitsFor(): string | undefined {
    return this.#run.waitsFor;
  }

  noteUsage(): void {
    this.#first.noteUsage();
    if (this.#run !== this.#first) this.#run.noteUsage();
  }

  async #firstBatch(): Promise<Batch<Event>> {
    this.#isCommitted = true;
    try {
      return await this.#batches.next();
    } catch (failure) {
      const further = await this.#runAgain(failure, this.#first);
      if (further === undefined) throw this.#toError(failure);
      return await this.#firstBatchOf(further);
    }
  }

  async #firstBatchOf(further: FurtherRun<Event>): Promise<Batch<Event>> {
    this.#run = further.run;
    append(this.attempts, further.run.attempts);
    this.#batches = further.run.events[Symbol.asyncIterator]();
    try {
      const batch = await this.#batches.next();
      further.onOutput();
      return batch;
    } catch (failure) {
      throw this.#toError(failure);
    }
  }
}
