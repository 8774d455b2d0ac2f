import type { BreakerSettings } from "../config/route.ts";
import type { Clock } from "./clock.ts";
import type { TargetStateName } from "./target-view.ts";

/** Number of parts of the window in which calls are counted. */
const parts = 10;

/** Largest addition to the time for which a breaker is open, so that breakers of several processes do not close at once. */
const jitter = 0.1;

/** Share of its calls that a target gets right after it works again. */
const rampFrom = 0.1;

/** An attempt that the breaker knows about. A trial decides whether the target works again. */
export interface Trial {
  readonly isTrial: boolean;
}

const ordinary: Trial = { isTrial: false };

/**
 * Circuit breaker of one target. It opens after too many failures in a row, or if too large a share of the calls in the
 * window fails. After its time it is half open: one call tries the target, and decides whether the breaker closes or
 * opens for longer. A call can also try an open target, if it has no other.
 */
export class Breaker {
  #settings: BreakerSettings;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #onChange: (from: TargetStateName, to: TargetStateName, forMs?: number) => void;
  readonly #calls = new Uint32Array(parts);
  readonly #failures = new Uint32Array(parts);
  /** Number of the window's latest part, counted from the clock's zero. */
  #part = 0;
  #inRow = 0;
  #state: TargetStateName = "closed";
  #openUntilMs = 0;
  /** How often the breaker has opened in a row. */
  #opened = 0;
  /** Trials in progress that began in the present state. */
  readonly #trials = new Set<Trial>();
  #closedSinceMs = Number.NEGATIVE_INFINITY;

  constructor(
    settings: BreakerSettings,
    clock: Clock,
    onChange: (from: TargetStateName, to: TargetStateName, forMs?: number) => void = () => {},
    random: () => number = Math.random,
  ) {
    this.#settings = settings;
    this.#clock = clock;
    this.#onChange = onChange;
    this.#random = random;
  }

  /**
   * Changes the settings. Keeps the state, with the time for which the breaker is open. If the window changes, the
   * counts start anew, since they belong to parts of the former window.
   */
  setSettings(settings: BreakerSettings): void {
    const { windowMs } = this.#settings;
    this.#settings = settings;
    if (settings.windowMs === windowMs) return;
    this.#calls.fill(0);
    this.#failures.fill(0);
    this.#part = this.#partNow();
  }

  get state(): TargetStateName {
    return this.#state;
  }

  /** When an open breaker becomes half open, on its clock. Undefined: it is not open. */
  get openUntilMs(): number | undefined {
    return this.#state === "open" ? this.#openUntilMs : undefined;
  }

  /** Whether a call may use the target as one of several: a half-open target takes one call at a time. */
  get isUsable(): boolean {
    return this.#state === "closed" || (this.#state === "half_open" && this.#trials.size === 0);
  }

  /** Share of failed calls in the window, from 0 to 1. */
  get failureRatio(): number {
    this.#advance();
    const calls = sum(this.#calls);
    return calls === 0 ? 0 : sum(this.#failures) / calls;
  }

  /** Share of its usual calls that the target gets, above 0 and up to 1: it grows after the breaker has closed. */
  get ramp(): number {
    const share = (this.#clock.now() - this.#closedSinceMs) / Math.max(1, this.#settings.rampMs);
    return Math.min(1, rampFrom + (1 - rampFrom) * share);
  }

  /** An attempt begins. It ends with `succeed`, `fail` or `drop`. */
  begin(): Trial {
    if (this.#state === "closed") return ordinary;
    const trial = { isTrial: true };
    this.#trials.add(trial);
    return trial;
  }

  succeed(trial: Trial): void {
    this.#count(this.#calls);
    this.#inRow = 0;
    if (!trial.isTrial) return;
    this.#trials.delete(trial);
    if (this.#state === "closed") return;
    this.#calls.fill(0);
    this.#failures.fill(0);
    this.#closedSinceMs = this.#clock.now();
    this.#change("closed");
  }

  fail(trial: Trial = ordinary): void {
    const { isTrial } = trial;
    this.#count(this.#calls);
    this.#failures[this.#part % parts] = (this.#failures[this.#part % parts] ?? 0) + 1;
    this.#inRow++;
    if (isTrial) this.#trials.delete(trial);
    // A call that began before the breaker opened says nothing new, and one that tried an open target neither.
    if (this.#state === "open" || (this.#state === "half_open" && !isTrial)) return;
    const { consecutive, failureRatio, minCalls } = this.#settings;
    const calls = sum(this.#calls);
    const isBad = calls >= minCalls && sum(this.#failures) >= failureRatio * calls;
    if (this.#state === "half_open" || this.#inRow >= consecutive || isBad) this.#open();
  }

  /** The attempt ended, and says nothing about the target: its caller left, or the request was wrong. */
  drop(trial: Trial): void {
    if (trial.isTrial) this.#trials.delete(trial);
  }

  #open(): void {
    const { openMs, openMaxMs, rampMs } = this.#settings;
    const now = this.#clock.now();
    if (this.#state === "closed" && now - this.#closedSinceMs > rampMs) this.#opened = 0;
    this.#opened++;
    const forMs = Math.min(openMs * this.#opened, openMaxMs) * (1 + jitter * this.#random());
    this.#openUntilMs = now + forMs;
    this.#inRow = 0;
    this.#change("open", forMs);
    const until = this.#openUntilMs;
    this.#clock.after(forMs, () => {
      if (this.#state === "open" && this.#openUntilMs === until) this.#change("half_open");
    });
  }

  #change(to: TargetStateName, forMs?: number): void {
    const from = this.#state;
    this.#state = to;
    this.#trials.clear();
    this.#onChange(from, to, forMs);
  }

  #count(counts: Uint32Array): void {
    this.#advance();
    counts[this.#part % parts] = (counts[this.#part % parts] ?? 0) + 1;
  }

  /** Moves the window to the present. */
  #advance(): void {
    const part = this.#partNow();
    for (let next = Math.max(this.#part + 1, part - parts + 1); next <= part; next++) {
      this.#calls[next % parts] = 0;
      this.#failures[next % parts] = 0;
    }
    this.#part = Math.max(this.#part, part);
  }

  #partNow(): number {
    return Math.floor((this.#clock.now() * parts) / Math.max(1, this.#settings.windowMs));
  }
}

function sum(counts: Uint32Array): number {
  let total = 0;
  for (const count of counts) total += count;
  return total;
}
