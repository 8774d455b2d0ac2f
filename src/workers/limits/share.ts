import type { Claim } from "../../accounts/limits/limit-store.ts";
import type { Given } from "./messages.ts";

/** Number of rounds without a call after which a worker gives back a share. */
const idleRounds = 240;

/** The share of one limit that a worker has. */
export class Share {
  readonly name: string;
  /** The latest claim on the limit. Undefined: no call of this worker has used it. */
  claim: Claim | undefined;
  amount = 0;
  /** What the other workers had free when this one got its share. */
  others = 0;
  /** Until then, the worker does not ask for more: there is none. */
  shortUntilMs = Number.NEGATIVE_INFINITY;
  #taken = 0;
  #isTouched = false;
  #quietRounds = 0;
  #waiting: (() => void)[] = [];

  constructor(name: string) {
    this.name = name;
  }

  take(amount: number): void {
    this.#taken += amount;
    this.#isTouched = true;
    this.#quietRounds = 0;
  }

  /** Calls the listener once, when the worker has got a new share. */
  onceDealt(listener: () => void): void {
    this.#waiting.push(listener);
  }

  /** Calls those that wait for a new share, in their order. */
  tell(): void {
    for (const listener of this.#waiting.splice(0)) listener();
  }

  /** Gives what is left of the share. Only whole amounts can be given. */
  give(remaining: number): Given {
    const free = Math.max(0, Math.floor(remaining));
    this.amount -= free;
    const taken = this.#taken;
    this.#taken = 0;
    return { name: this.name, free, debt: Math.max(0, -remaining), taken };
  }

  get(amount: number, others: number, shortUntilMs: number | undefined): void {
    this.amount += amount;
    this.others = others;
    this.shortUntilMs = shortUntilMs ?? Number.NEGATIVE_INFINITY;
  }

  /** Whether calls have taken of it since the last question. */
  isTouched(): boolean {
    const wasTouched = this.#isTouched;
    this.#isTouched = false;
    return wasTouched;
  }

  /** Whether no call has used it for a while, so that others may have it. Asked once a round. */
  isIdle(remaining: number, nowMs: number): boolean {
    this.#quietRounds++;
    if (this.#quietRounds < idleRounds || this.#waiting.length > 0) return false;
    if (this.claim?.kind === "budget") return (this.claim.period?.endMs ?? 0) < nowMs;
    return remaining >= this.amount;
  }
}
