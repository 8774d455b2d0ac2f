import { type GatewayError, toGatewayError } from "../errors.ts";
import type { HedgeBudget } from "./budgets.ts";
import type { Candidate, CandidateRoute } from "./candidate.ts";
import type { TargetRun } from "./choices.ts";
import { failureOfCall, nextStep, reportedIn } from "./failures.ts";
import type { TargetKey } from "./keys.ts";
import type { Next, SearchedCall, SharedSearch } from "./next-attempt.ts";
import { Search } from "./search.ts";
import { SmallMap } from "./small-map.ts";
import { type Outcome, type RunParameters, StartedAttempt } from "./started-attempt.ts";
import { aborted } from "./wait.ts";
import { fallbackReason, obstacleOf } from "./why-unused.ts";

/** What routing needs of a call. `Plan`: how the call is sent to one candidate. `Event`: what responses consist of. */
export interface RoutedCall<Member extends Candidate, Plan, Event> extends SearchedCall<Member, Plan> {
  /** Whether the caller wants a single response: nothing is handed on before its end. */
  readonly whole: boolean;
  /** Whether an attempt may start beside another one. Tools that a provider runs can have effects. */
  readonly canHedge: boolean;
  start(plan: Plan, candidate: Member, parameters: RunParameters): TargetRun<Event>;
  /** Throws if a response is too large so far. Called while routing holds it back. Default: there is no bound. */
  checkSize?(run: TargetRun<Event>): void;
}

/** State that the calls of all routes share. */
export interface SharedRouting extends SharedSearch {
  hedgesOf(route: string): HedgeBudget;
}

/** The answering attempt of a call. */
export interface Winner<Member extends Candidate, Plan> {
  readonly candidate: Member;
  readonly plan: Plan;
  /** Sentence that says why not the first candidate answers. Empty: it does. */
  readonly fellBack: string;
}

/** Attempts of one call, until one reaches its commit point, and then the rest of its response. */
export class RouteRun<Member extends Candidate, Plan, Event> implements AsyncIterable<readonly Event[]> {
  readonly #call: RoutedCall<Member, Plan, Event>;
  readonly #route: CandidateRoute<Member>;
  readonly #shared: SharedRouting;
  readonly #search: Search<Member, Plan>;
  readonly #started = new SmallMap<StartedAttempt<Event>, Next<Member, Plan>>();
  readonly #losers = new SmallMap<StartedAttempt<Event>, true>();
  /** Delays that providers requested, in ms. */
  #retryDelays: readonly number[] | undefined;
  #failure: GatewayError | undefined;
  /** The latest attempt, or the one that answers. */
  #current: StartedAttempt<Event> | undefined;
  #committed: Extract<Outcome<Event>, { isCommitted: true }> | undefined;
  /** Number of batches that were asked for since the commit point. */
  #handed = 0;
  #isBegun = false;
  /** The answering attempt. Undefined: none has reached its commit point. */
  winner: Winner<Member, Plan> | undefined;

  constructor(call: RoutedCall<Member, Plan, Event>, route: CandidateRoute<Member>, shared: SharedRouting) {
    this.#call = call;
    this.#route = route;
    this.#shared = shared;
    this.#search = new Search(call, route, shared);
  }

  /** Batches of events of the answering attempt. */
  get events(): AsyncIterable<readonly Event[]> {
    return this;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  get outputCharacters(): number {
    return this.#current?.run.outputCharacters ?? 0;
  }

  get outputSize(): number {
    return this.#current?.run.outputSize ?? 0;
  }

  get waitsFor(): string | undefined {
    return this.#current?.run.waitsFor;
  }

  /** The latest attempt, whether it answers or not. Undefined: there is none. */
  get latest(): Winner<Member, Plan> | undefined {
    const next = this.#current && this.#started.get(this.#current);
    return (
      next && {
        candidate: next.candidate,
        plan: next.plan,
        fellBack: fallbackReason(next.candidate, this.#route, this.#search.history),
      }
    );
  }

  /** Sets the usage of the attempts of a call that fails now: of those that have none and may have used tokens. */
  noteUsage(): void {
    for (const { run } of this.#started.keys()) run.noteUsage();
  }

  // Not a generator, which would cost as much for each delta as the rest of the stream.
  next(): Promise<IteratorResult<readonly Event[]>> {
    if (!this.#isBegun) return this.#first();
    const held = this.#committed?.held[this.#handed++];
    if (held !== undefined) return Promise.resolve({ done: false, value: held });
    return this.#committed?.rest?.next() ?? Promise.resolve({ done: true, value: undefined });
  }

  async return(): Promise<IteratorResult<readonly Event[]>> {
    return (await this.#committed?.rest?.return?.()) ?? { done: true, value: undefined };
  }

  async #first(): Promise<IteratorResult<readonly Event[]>> {
    this.#isBegun = true;
    const { id, rules } = this.#route;
    if (rules.hedge !== undefined) this.#shared.hedgesOf(id).addCall(rules.hedge.budget);
    for (;;) {
      const next = await this.#search.next();
      this.#call.signal.throwIfAborted();
      if (next === undefined) throw await this.#finalFailure();
      if (!this.#search.holds(next)) continue;
      const started = this.#start(next);
      const waitMs = this.#hedgeDelay(next);
      const isCommitted =
        waitMs === undefined ? this.#settle(started, await started.outcome) : await this.#race(started, next, waitMs);
      if (isCommitted) return this.next();
      this.#call.signal.throwIfAborted();
      if (nextStep(this.#failure) === "never") throw this.#failure;
    }
  }

  async #finalFailure(): Promise<GatewayError> {
    // The deadline can be over before its timer has run.
    if (this.#failure === undefined && this.#call.leftMs() <= 0) await aborted(this.#call.signal);
    return failureOfCall(
      this.#failure ?? obstacleOf(this.#route, this.#search.history, this.#shared.clock.now()),
      this.#retryDelays ?? [],
    );
  }

  #start(next: Next<Member, Plan>): StartedAttempt<Event> {
    const { candidate, key, plan, isRetry } = next;
    const { whole, signal } = this.#call;
    const { timeouts, hedge } = this.#route.rules;
    this.#search.history.begin(next);
    if (isRetry) candidate.state.retries.addRetry();
    const further = this.#search.further(candidate);
    const leftMs = this.#call.leftMs();
    const shareMs = further === 0 ? Number.POSITIVE_INFINITY : leftMs / (further + 1);
    // The median costs a sort now and then, and a sole target needs no share.
    const usualMs = further === 0 ? 0 : (candidate.state.streamed.usual ?? 0);
    // Twice its usual time would be all the time of a target that was only tried to see whether it still is slow.
    const leastMs = usualMs > leftMs ? 0 : 2 * usualMs;
    const started = new StartedAttempt(
      { state: candidate.state, key, signal, clock: this.#shared.clock },
      (parameters) => this.#call.start(plan, candidate, parameters),
      {
        // A stream shows when the output begins: then the attempt keeps the rest of the time. The first byte of a whole
        // response comes with its last.
        whole: whole && further === 0 && timeouts.firstOutputMs === 0 && hedge === undefined,
        commitsWhole: whole,
        checkSize: (run) => this.#call.checkSize?.(run),
        canBeCut: hedge !== undefined,
        mayGiveWay: () => this.#search.hasOther(candidate),
        further: () => this.#search.further(candidate),
        limits: {
          firstOutputMs: timeouts.firstOutputMs || Number.POSITIVE_INFINITY,
          shareMs: Math.max(shareMs, leastMs),
          attemptMs: timeouts.attemptMs || Number.POSITIVE_INFINITY,
          idleMs: timeouts.idleMs,
        },
      },
    );
    this.#started.set(started, next);
    this.#current = started;
    return started;
  }

  /** Returns after how many ms a second attempt may start. Undefined: never. */
  #hedgeDelay({ candidate: { state } }: Next<Member, Plan>): number | undefined {
    const { hedge } = this.#route.rules;
    if (hedge === undefined || !this.#call.canHedge) return undefined;
    return hedge.after === "p95" ? state.streamed.p95 : hedge.after;
  }

  /** Starts a second attempt if the first one has no output in time. The one with the first output goes on. */
  async #race(first: StartedAttempt<Event>, { candidate }: Next<Member, Plan>, waitMs: number): Promise<boolean> {
    const second = (await this.#isLate(first, waitMs)) ? await this.#startHedge(first, candidate) : undefined;
    if (second === undefined) return this.#settle(first, await first.outcome);
    // Output that was on its way when the other attempt won changes nothing.
    const [firstWins, secondWins] = [() => this.#lose(second, waitMs), () => this.#lose(first, waitMs)];
    first.onOutput = firstWins;
    second.onOutput = secondWins;
    if (first.hasOutput) this.#lose(second, waitMs);
    const [ahead, outcome] = await Promise.race(
      [first, second].map(async (started) => [started, await started.outcome] as const),
    );
    const other = ahead === first ? second : first;
    if (!this.#losers.has(ahead)) {
      const isCommitted = this.#settle(ahead, outcome);
      if (isCommitted || nextStep(this.#failure) === "never" || this.#losers.has(other)) {
        this.#lose(other, waitMs);
        return isCommitted;
      }
    }
    // A fault in the turn in which its attempt lost ends the call, unless the other attempt responds.
    const fault = this.#losers.has(ahead) && !outcome.isCommitted ? toGatewayError(outcome.failure) : undefined;
    this.#current = other;
    const isCommitted = this.#settle(other, await other.outcome);
    const isFinal = fault !== undefined && fault.reason !== "CANCELLED" && nextStep(fault) === "never";
    if (!isCommitted && isFinal) this.#failure = fault;
    return isCommitted;
  }

  /** Resolves with whether an attempt has neither output nor an end after some ms. */
  async #isLate(started: StartedAttempt<Event>, waitMs: number): Promise<boolean> {
    const late = Promise.withResolvers<boolean>();
    const cancel = this.#shared.clock.after(waitMs, () => late.resolve(true));
    const inTime = (): void => late.resolve(false);
    started.onOutput = inTime;
    void started.outcome.then(inTime);
    const isLate = await late.promise;
    cancel();
    return isLate && !started.hasOutput;
  }

  async #startHedge(first: StartedAttempt<Event>, candidate: Member): Promise<StartedAttempt<Event> | undefined> {
    // Planning takes time, and can fail: the first attempt does not wait for it.
    const hedge = this.#search.hedge(candidate).catch(() => undefined);
    const next = await Promise.race([hedge, first.outcome.then(() => undefined)]);
    if (next === undefined || first.hasOutput || first.isOver || this.#call.signal.aborted) return undefined;
    if (!this.#search.holds(next) || !this.#shared.hedgesOf(this.#route.id).take()) return undefined;
    return this.#start(next);
  }

  /** @param waitMs wait after which the hedge started */
  #lose(started: StartedAttempt<Event>, waitMs: number): void {
    if (this.#losers.has(started)) return;
    this.#losers.set(started, true);
    started.lose(waitMs);
    void started.outcome.then((outcome) => this.#forgetLoser(started, outcome));
    if (this.#current === started) {
      for (const other of this.#started.keys()) if (!this.#losers.has(other)) this.#current = other;
    }
  }

  /** A loser can end in the turn in which it loses: with a response that nobody reads, or with a failure. */
  #forgetLoser(started: StartedAttempt<Event>, outcome: Outcome<Event>): void {
    if (outcome.isCommitted) {
      outcome.rest?.return?.().catch(() => {});
      return;
    }
    const next = this.#started.get(started);
    const failure = this.#noteFailure(outcome.failure, next?.key);
    if (next !== undefined && nextStep(failure) !== "never") this.#search.history.fail(next, failure, false);
  }

  /** Takes note of the outcome of an attempt. Returns whether it reached its commit point. */
  #settle(started: StartedAttempt<Event>, outcome: Outcome<Event>): boolean {
    const next = this.#started.get(started);
    if (next === undefined) return false;
    if (outcome.isCommitted) {
      this.#current = started;
      this.#committed = outcome;
      this.#succeed(next);
      for (const other of this.#started.keys()) if (other !== started) other.run.noteUsage();
      return true;
    }
    const failure = this.#noteFailure(outcome.failure, next.key);
    this.#failure = failure;
    const isSilent = started.isCut || failure.reason === "PROVIDER_TIMEOUT";
    if (!this.#call.signal.aborted) this.#search.history.fail(next, failure, isSilent);
    return false;
  }

  #noteFailure(thrown: unknown, key: TargetKey | undefined): GatewayError {
    const failure = toGatewayError(thrown);
    const { reason, retryAfterMs: requestedMs } = reportedIn(failure);
    let retryAfterMs = requestedMs;
    // A provider that limits a key without saying for how long is asked again only when the key has cooled.
    if (reason === "PROVIDER_RATE_LIMITED" && !retryAfterMs) {
      const untilMs = key?.here.limitedUntilMs;
      if (untilMs !== undefined) retryAfterMs = untilMs - this.#shared.clock.now();
    }
    if (retryAfterMs !== undefined) this.#retryDelays = [...(this.#retryDelays ?? []), retryAfterMs];
    return failure;
  }

  #succeed({ candidate, plan, key }: Next<Member, Plan>): void {
    const { conversation } = this.#call;
    const { name: target } = candidate.state;
    if (conversation !== undefined) this.#shared.affinity.pin(conversation, { target, key: key.name });
    this.winner = { candidate, plan, fellBack: fallbackReason(candidate, this.#route, this.#search.history) };
  }
}
