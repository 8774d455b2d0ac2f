import type { BreakerSettings } from "../config/route.ts";
import type { Reason } from "../errors.ts";
import { type Attempt, AttemptOutcome } from "../gen/dragoman/v1/attempt_pb.js";
import type { QueueState } from "../providers/adapter.ts";
import { Breaker } from "./breaker.ts";
import { RetryBudget } from "./budgets.ts";
import type { Clock } from "./clock.ts";
import { KeyUse, type PoolKey, type TargetKey } from "./keys.ts";
import { Latency } from "./latency.ts";
import type { StateChange } from "./target-view.ts";

/** What the states of all targets share. */
export interface Surroundings {
  readonly clock: Clock;
  readonly breaker: BreakerSettings;
  readonly random: () => number;
  onChange(change: StateChange): void;
  /** Use of a key at all targets of its provider. */
  useOf(key: PoolKey): KeyUse;
}

/** Failures after which a target may work no better for other calls. */
const faults: ReadonlySet<string> = new Set<Reason>([
  "PROVIDER_UNAVAILABLE",
  "PROVIDER_TIMEOUT",
  "PROVIDER_STREAM_INTERRUPTED",
]);

/** Keys of a provider that needs none. */
const noKeys: readonly PoolKey[] = [{ name: "", weight: 1 }];

/** Health of one target, as all calls of the process see it. */
export class TargetState {
  /** `provider/model`, as in Attempt.target. */
  readonly name: string;
  readonly breaker: Breaker;
  /** First outputs of upstream streams. */
  readonly streamed: Latency;
  /** Whole responses. */
  readonly whole: Latency;
  readonly retries: RetryBudget;
  readonly #surroundings: Surroundings;
  readonly #running = new Map<Attempt, QueueState>();
  readonly #uses = new WeakMap<PoolKey, TargetKey>();
  #keys: readonly TargetKey[] = [];
  #keysOf: readonly PoolKey[] | undefined;
  #failure = "";

  constructor(name: string, surroundings: Surroundings) {
    const { clock, breaker, random } = surroundings;
    this.name = name;
    this.#surroundings = surroundings;
    this.streamed = new Latency(clock);
    this.whole = new Latency(clock);
    this.retries = new RetryBudget(clock);
    this.breaker = new Breaker(
      breaker,
      clock,
      (from, to, forMs) =>
        surroundings.onChange({
          target: name,
          from,
          to,
          reason: to === "open" ? this.#failure : "",
          ...(forMs !== undefined && { forMs }),
        }),
      random,
    );
  }

  /** Attempts in progress. */
  get inFlight(): number {
    return this.#running.size;
  }

  /** Attempts in progress that wait in a queue of Dragoman. */
  get queueLength(): number {
    let waiting = 0;
    for (const { waitsFor } of this.#running.values()) if (waitsFor !== undefined) waiting++;
    return waiting;
  }

  /** Keys that were used last, or that `keysFor` returned last. */
  get keys(): readonly TargetKey[] {
    return this.#keys;
  }

  /** Returns the states of a provider's keys at this target. */
  keysFor(keys: readonly PoolKey[] | undefined): readonly TargetKey[] {
    const pool = keys === undefined || keys.length === 0 ? noKeys : keys;
    if (this.#keysOf === pool) return this.#keys;
    this.#keysOf = pool;
    this.#keys = pool.map((key) => this.#useOf(key));
    return this.#keys;
  }

  attemptBegins(attempt: Attempt, queue: QueueState): void {
    this.#running.set(attempt, queue);
    this.retries.addAttempt();
  }

  attemptEnds(attempt: Attempt): void {
    this.#running.delete(attempt);
    if (isFault(attempt)) this.#failure = attempt.failureReason;
  }

  keyChanged(key: PoolKey, to: "cooling" | "usable", reason: string, forMs?: number): void {
    const from = to === "usable" ? "cooling" : "usable";
    const time = forMs === undefined ? {} : { forMs };
    this.#surroundings.onChange({ target: this.name, key: key.name, from, to, reason, ...time });
  }

  #useOf(key: PoolKey): TargetKey {
    let known = this.#uses.get(key);
    if (known === undefined) {
      // Without a key there is nothing that targets share.
      const here = new KeyUse(this.#surroundings.clock);
      known = { key, here, everywhere: key === noKeys[0] ? here : this.#surroundings.useOf(key) };
      this.#uses.set(key, known);
    }
    return known;
  }
}

/** Whether an attempt failed because of its target, and not because of the request, the key or the caller. */
export function isFault({ outcome, failureReason }: Attempt): boolean {
  return outcome === AttemptOutcome.FAILED && faults.has(failureReason);
}
