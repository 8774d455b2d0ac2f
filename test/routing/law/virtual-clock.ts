import type { Clock } from "../../../src/routing/clock.ts";
import { Draws } from "../../../src/routing/draws.ts";

interface Timer {
  readonly atMs: number;
  /** Decides among timers of the same time. */
  readonly tie: number;
  run: (() => void) | undefined;
}

/**
 * Clock whose time passes only while it plays. A turn runs one timer, and then all promises that it settles, as a turn
 * of the event loop does. Timers of the same time run in an order that the seed decides.
 */
export class VirtualClock implements Clock {
  readonly #ties: Draws;
  readonly #merges: boolean;
  #timers: Timer[] = [];
  #now: number;
  /** Number of the present turn. */
  turn = 0;

  /** @param merges whether all timers of the same time run in one turn, as if one packet had caused them */
  constructor(startMs = 0, seed = 0, merges = false) {
    this.#now = startMs;
    this.#ties = new Draws(seed);
    this.#merges = merges;
  }

  now(): number {
    return this.#now;
  }

  after(ms: number, run: () => void): () => void {
    const timer: Timer = { atMs: this.#now + Math.max(0, ms), tie: this.#ties.next(), run };
    let [low, high] = [0, this.#timers.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isBefore(this.#timers[middle] as Timer, timer)) low = middle + 1;
      else high = middle;
    }
    this.#timers.splice(low, 0, timer);
    return () => {
      timer.run = undefined;
    };
  }

  /** Number of timers that will run. */
  get pending(): number {
    return this.#timers.filter(({ run }) => run !== undefined).length;
  }

  /** Runs all timers, also those that timers start. `onTurn` runs at the end of each turn. */
  async play(onTurn: () => void = () => {}): Promise<void> {
    await settled();
    for (let timer = this.#timers.shift(); timer !== undefined; timer = this.#timers.shift()) {
      if (timer.run === undefined) continue;
      this.#now = timer.atMs;
      this.turn++;
      const present = [timer];
      while (this.#merges && this.#timers[0]?.atMs === timer.atMs) present.push(this.#timers.shift() as Timer);
      for (const { run } of present) run?.();
      await settled();
      onTurn();
    }
  }

  /** Lets `ms` milliseconds pass, with the timers that are due. For tests of parts that need no promises. */
  pass(ms: number): void {
    const untilMs = this.#now + ms;
    while ((this.#timers[0]?.atMs ?? Number.POSITIVE_INFINITY) <= untilMs) {
      const timer = this.#timers.shift() as Timer;
      this.#now = timer.atMs;
      timer.run?.();
    }
    this.#now = untilMs;
  }
}

function isBefore(one: Timer, other: Timer): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.tie <= other.tie);
}

/** Resolves when no promise is left that can go on by itself. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
