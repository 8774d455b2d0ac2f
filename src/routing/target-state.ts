import type { BreakerSettings } from "../config/route.ts";
import type { GatewayError, Reason } from "../errors.ts";
import { type Attempt, AttemptOutcome } from "../gen/dragoman/v1/attempt_pb.js";
import type { ProviderKey, QueueState } from "../providers/adapter.ts";
import { Breaker } from "./breaker.ts";
import { RetryBudget } from "./budgets.ts";
import type { Clock } from "./clock.ts";
import { reportedIn } from "./failures.ts";
import { KeyUse, type TargetKey } from "./keys.ts";
import { Latency } from "./latency.ts";
import type { StateChange } from "./target-view.ts";

/** What the states of all targets share. */
export interface Surroundings {
  readonly clock: Clock;
  readonly breaker: BreakerSettings;
  readonly random: () => number;
  onChange(change: StateChange): void;
  /** Use of a key at all targets of its provider. */
  useOf(key: ProviderKey): KeyUse;
}

/** Failures after which a target may work no better for other calls. */
const faults: ReadonlySet<string> = new Set<Reason>([
  "PROVIDER_UNAVAILABLE",
  "PROVIDER_TIMEOUT",
  "PROVIDER_STREAM_INTERRUPTED",
]);

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
  /** Attempts in progress, at the same places as their queues. Few arrays, and no memory for each call. */
  readonly #running: Attempt[] = [];
  readonly #queues: QueueState[] = [];
  readonly #uses = new WeakMap<ProviderKey, TargetKey>();
  readonly #keyless: readonly TargetKey[];
  #keys: readonly TargetKey[];
  #keysOf: readonly ProviderKey[] | undefined;
  #failure = "";
  #askedMs = Number.NEGATIVE_INFINITY;

  constructor(name: string, surroundings: Surroundings) {
    const { clock, breaker, random } = surroundings;
    this.name = name;
    this.#surroundings = surroundings;
    const use = new KeyUse(clock);
    this.#keyless = [{ key: undefined, name: "", here: use, everywhere: use }];
    this.#keys = this.#keyless;
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
    return this.#running.length;
  }

  /** Milliseconds since the latest attempt began. Infinity: there was none. */
  get restMs(): number {
    return this.#surroundings.clock.now() - this.#askedMs;
  }

  /** Attempts in progress that wait in a queue of Dragoman. */
  get queueLength(): number {
    let waiting = 0;
    for (const { waitsFor } of this.#queues) if (waitsFor !== undefined) waiting++;
    return waiting;
  }

  /** Keys that were used last, or that `keysFor` returned last. */
  get keys(): readonly TargetKey[] {
    return this.#keys;
  }

  /** Returns the states of a provider's keys at this target. */
  keysFor(keys: readonly ProviderKey[] | undefined): readonly TargetKey[] {
    if (this.#keysOf === keys) return this.#keys;
    this.#keysOf = keys;
    this.#keys = keys === undefined || keys.length === 0 ? this.#keyless : keys.map((key) => this.#useOf(key));
    return this.#keys;
  }

  attemptBegins(attempt: Attempt, queue: QueueState): void {
    this.#running.push(attempt);
    this.#queues.push(queue);
    this.#askedMs = this.#surroundings.clock.now();
    this.retries.addAttempt();
  }

  attemptEnds(attempt: Attempt): void {
    this.#end(attempt);
    if (isFault(attempt)) this.#failure = attempt.failureReason;
  }

  /** Takes a key out of use if the provider limits or rejects it. */
  refuseKey({ key, name, here, everywhere }: TargetKey, failure: GatewayError): void {
    // Without a key, the failure says nothing about other calls.
    if (key === undefined) return;
    const { reason, retryAfterMs } = reportedIn(failure);
    switch (reason) {
      case "PROVIDER_RATE_LIMITED":
        this.keyChanged(name, "cooling", reason, here.limit(reason, retryAfterMs));
        break;
      case "PROVIDER_PERMISSION_DENIED":
        this.keyChanged(name, "cooling", reason, here.reject(reason));
        break;
      case "PROVIDER_CREDENTIALS_REJECTED":
      case "PROVIDER_QUOTA_EXHAUSTED":
        this.keyChanged(name, "cooling", reason, everywhere.reject(reason));
        break;
    }
  }

  #end(attempt: Attempt): void {
    // Attempts often end in another order than they begin. The last one takes the place of the ended one.
    const index = this.#running.lastIndexOf(attempt);
    const [lastRunning, lastQueue] = [this.#running.at(-1), this.#queues.at(-1)];
    if (index < 0 || lastRunning === undefined || lastQueue === undefined) return;
    this.#running[index] = lastRunning;
    this.#queues[index] = lastQueue;
    this.#running.pop();
    this.#queues.pop();
  }

  keyChanged(key: string, to: "cooling" | "usable", reason: string, forMs?: number): void {
    const from = to === "usable" ? "cooling" : "usable";
    this.#surroundings.onChange({ target: this.name, key, from, to, reason, ...(forMs !== undefined && { forMs }) });
  }

  #useOf(key: ProviderKey): TargetKey {
    let known = this.#uses.get(key);
    if (known === undefined) {
      const everywhere = this.#surroundings.useOf(key);
      known = { key, name: key.name, here: new KeyUse(this.#surroundings.clock), everywhere };
      this.#uses.set(key, known);
    }
    return known;
  }
}

/**
 * Whether an attempt failed because of its target, and not because of the request, the key or the caller. A status 4xx
 * can always come from the request, also one after which a further attempt may succeed, such as 409.
 *
 * @param reported what the provider reported. Default: the reason of the failure.
 */
export function isFault({ outcome, failureReason, httpStatus }: Attempt, reported: string = failureReason): boolean {
  const isRejected = httpStatus >= 400 && httpStatus < 500;
  return outcome === AttemptOutcome.FAILED && faults.has(reported) && !isRejected;
}
