import { GatewayError, type Reason } from "../errors.ts";
import { type Attempt, AttemptOutcome } from "../gen/dragoman/v1/attempt_pb.js";
import type { QueueState } from "../providers/adapter.ts";
import { AttemptCut } from "./attempt-record.ts";
import type { Trial } from "./breaker.ts";
import type { TargetRun } from "./choices.ts";
import type { Clock } from "./clock.ts";
import { reportedIn } from "./failures.ts";
import type { TargetKey } from "./keys.ts";
import { isFault, type TargetState } from "./target-state.ts";

/** What a run of a call at one target gets from routing. */
export interface RunParameters {
  readonly key: TargetKey["key"];
  readonly signal: AbortSignal;
  /** Whether one response may be requested instead of a stream. */
  readonly whole: boolean;
  /** Longest wait in ms between two outputs. 0: that of the provider's configuration. */
  readonly idleMs: number;
  readonly onBegin: (attempt: Attempt, queue: QueueState) => void;
  readonly onOutput: (attempt: Attempt) => void;
  readonly onEnd: (attempt: Attempt) => void;
  /** Called with the failure of an upstream request, also after its output has begun. */
  readonly onFailure: (failure: GatewayError) => void;
}

/** End of an attempt's time before its commit point. */
export type Outcome<Event> =
  | {
      readonly isCommitted: true;
      /** Batches that have arrived. */
      readonly held: (readonly Event[])[];
      /** The other batches. Undefined: there are none. */
      readonly rest: AsyncIterator<readonly Event[]> | undefined;
    }
  | { readonly isCommitted: false; readonly failure: unknown };

/** Limits in ms of an attempt until its commit point. Infinity: none. */
export interface AttemptLimits {
  /** Until the first output: the configured limit. */
  readonly firstOutputMs: number;
  /** Until the first output: the attempt's share of the time that is left for all targets. */
  readonly shareMs: number;
  /** Until the commit point. */
  readonly attemptMs: number;
  readonly idleMs: number;
}

/** Wait in ms after which a target without known times to its first output counts as failed. */
const longWaitMs = 1_000;

/** Where and how an attempt is made. */
interface Place {
  readonly state: TargetState;
  readonly key: TargetKey;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

interface AttemptOptions<Event> {
  /** Whether one response may be requested instead of a stream. */
  readonly whole: boolean;
  /** Whether the commit point is the end of the response. */
  readonly commitsWhole: boolean;
  /** Whether routing may abort the attempt for another reason than the limits. */
  readonly canBeCut: boolean;
  readonly limits: AttemptLimits;
  /** Throws if the response is too large so far. */
  checkSize(run: TargetRun<Event>): void;
  /** Whether another target can serve the request. Decides at the end of the attempt's share. */
  mayGiveWay(): Promise<boolean>;
  /** Number of other targets that are left. Another attempt can have taken the last one in the meantime. */
  further(): number;
}

/** An attempt at a target, until its commit point: its timers, and what it tells about the target's health. */
export class StartedAttempt<Event> {
  readonly run: TargetRun<Event>;
  /** Never rejects. */
  readonly outcome: Promise<Outcome<Event>>;
  /** Called with the first output. */
  onOutput: (() => void) | undefined;
  /** Whether routing ended the attempt because it took too long. */
  isCut = false;
  /** Whether the outcome is known. */
  isOver = false;
  #hasOutput = false;
  readonly #place: Place;
  readonly #options: AttemptOptions<Event>;
  readonly #controller: AbortController | undefined;
  readonly #trial: Trial;
  readonly #beginMs: number;
  /** Whether the breaker knows the outcome. */
  #isTold = false;
  /** What the provider reported for the upstream request that ends now. Undefined: nothing. */
  #reported: Reason | undefined;
  #timers: (() => void)[] | undefined;

  constructor(place: Place, start: (parameters: RunParameters) => TargetRun<Event>, options: AttemptOptions<Event>) {
    const { state, key, signal, clock } = place;
    const { firstOutputMs, shareMs, attemptMs, idleMs } = options.limits;
    this.#place = place;
    this.#options = options;
    this.#beginMs = clock.now();
    this.#trial = state.breaker.begin();
    const isLimited = Math.min(firstOutputMs, shareMs, attemptMs) < Number.POSITIVE_INFINITY;
    this.#controller = isLimited || options.canBeCut ? new AbortController() : undefined;
    if (this.#controller !== undefined) {
      const controller = this.#controller;
      const abort = (): void => controller.abort(signal.reason);
      this.#abort = abort;
      if (signal.aborted) abort();
      else signal.addEventListener("abort", abort);
    }
    try {
      this.run = start({
        key: key.key,
        signal: this.#controller?.signal ?? signal,
        whole: options.whole,
        idleMs,
        onBegin: (attempt, queue) => state.attemptBegins(attempt, queue),
        onOutput: () => this.#sawOutput(),
        onEnd: (attempt) => this.#ended(attempt),
        onFailure: (failure) => {
          this.#reported = reportedIn(failure).reason;
          state.refuseKey(key, failure);
        },
      });
    } catch (fault) {
      state.breaker.drop(this.#trial);
      this.#forgetCall();
      throw fault;
    }
    if (isLimited) this.#limit();
    this.outcome = this.#commit();
  }

  get hasOutput(): boolean {
    return this.#hasOutput;
  }

  /**
   * Ends the attempt, because another one was faster.
   *
   * @param longMs wait that is long for a target without known times to its first output
   */
  lose(longMs: number): void {
    this.onOutput = undefined;
    const { streamed } = this.#place.state;
    // A target that loses each time would never be known as slow. A shorter wait than usual says nothing.
    if (!this.isOver && this.#elapsedMs >= (streamed.average ?? longMs)) this.#observeWait();
    this.#controller?.abort(new GatewayError("CANCELLED", "another attempt was faster"));
  }

  #abort: (() => void) | undefined;

  #forgetCall(): void {
    if (this.#abort !== undefined) this.#place.signal.removeEventListener("abort", this.#abort);
  }

  get #elapsedMs(): number {
    return this.#place.clock.now() - this.#beginMs;
  }

  #limit(): void {
    const { name } = this.#place.state;
    const { firstOutputMs, shareMs, attemptMs } = this.#options.limits;
    this.#after(firstOutputMs, () => {
      if (!this.#hasOutput) this.#cut(AttemptOutcome.FAILED, `${name} sent no output in ${firstOutputMs} ms`);
    });
    this.#after(shareMs, () => void this.#endShare());
    this.#after(attemptMs, () => this.#cut(AttemptOutcome.FAILED, `the attempt at ${name} took ${attemptMs} ms`));
  }

  #after(ms: number, run: () => void): void {
    if (ms === Number.POSITIVE_INFINITY) return;
    this.#timers ??= [];
    this.#timers.push(this.#place.clock.after(ms, run));
  }

  /** Ends an attempt without output, so that another target gets the rest of the time. */
  async #endShare(): Promise<void> {
    if (this.#hasOutput || !(await this.#options.mayGiveWay().catch(() => false))) return;
    if (this.#hasOutput || this.isOver || this.#options.further() === 0) return;
    const { streamed, name } = this.#place.state;
    const usualMs = streamed.p95 ?? streamed.usual ?? longWaitMs;
    if (this.run.waitsFor === undefined && this.#elapsedMs >= usualMs) this.#tell("fail");
    this.#cut(AttemptOutcome.ABANDONED, `${name} sent no output in its share of the time that was left`);
  }

  #cut(outcome: AttemptCut["outcome"], message: string): void {
    this.isCut = true;
    this.#observeWait();
    const isQueued = this.run.waitsFor !== undefined;
    this.#controller?.abort(new AttemptCut(isQueued ? AttemptOutcome.ABANDONED : outcome, message));
  }

  /** Notes a wait without output. One in Dragoman's own queue says nothing about the target. */
  #observeWait(): void {
    const { streamed } = this.#place.state;
    if (this.run.waitsFor === undefined && !this.#hasOutput) streamed.observeWait(this.#elapsedMs);
  }

  #sawOutput(): void {
    // Output can be on its way when an attempt is aborted.
    if (this.#hasOutput || (this.#controller?.signal ?? this.#place.signal).aborted) return;
    this.#hasOutput = true;
    const { state } = this.#place;
    (this.#options.whole ? state.whole : state.streamed).observe(this.#elapsedMs);
    // A target that was open works again. Its other calls need not wait for the end of this response.
    if (this.#trial.isTrial) this.#tell("succeed");
    this.#accept();
    this.onOutput?.();
  }

  /** The provider accepted the key. */
  #accept(): void {
    const { state, key } = this.#place;
    const isBack = key.here.accept();
    if (key.everywhere.accept() || isBack) state.keyChanged(key.name, "usable", "");
  }

  #ended(attempt: Attempt): void {
    const { state } = this.#place;
    const reported = this.#reported;
    this.#reported = undefined;
    state.attemptEnds(attempt);
    if (attempt.outcome === AttemptOutcome.ANSWERED) this.#tell("succeed");
    else if (isFault(attempt, reported)) this.#tell("fail");
    else if (!this.#isTold) state.breaker.drop(this.#trial);
  }

  #tell(what: "succeed" | "fail"): void {
    const { breaker } = this.#place.state;
    const isLate = this.#isTold;
    this.#isTold = true;
    // A response that breaks after its first output is one more failure.
    if (!isLate) breaker[what](this.#trial);
    else if (what === "fail") breaker.fail();
  }

  async #commit(): Promise<Outcome<Event>> {
    const batches = this.run.events[Symbol.asyncIterator]();
    const held: (readonly Event[])[] = [];
    const signal = this.#controller?.signal ?? this.#place.signal;
    try {
      do {
        const next = await batches.next();
        // A response can arrive in the turn in which its attempt is aborted.
        signal.throwIfAborted();
        if (next.done) {
          this.#forgetCall();
          return { isCommitted: true, held, rest: undefined };
        }
        held.push(next.value);
        this.#options.checkSize(this.run);
      } while (this.#options.commitsWhole);
      return { isCommitted: true, held, rest: batches };
    } catch (failure) {
      this.#forgetCall();
      // Ends an attempt that is not over, such as one whose response is too large.
      batches.return?.().catch(() => {});
      return { isCommitted: false, failure };
    } finally {
      this.isOver = true;
      for (const cancel of this.#timers ?? []) cancel();
    }
  }
}
