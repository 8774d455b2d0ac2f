import type { Reason } from "../errors.ts";
import type { ProviderKey } from "../providers/adapter.ts";
import type { Clock } from "./clock.ts";

/** Time in ms for which a rejected key is not used, unless there is no other. */
const rejectedMs = 60_000;

/** Times in ms for which a limited key is not used if the provider does not say how long. They double each time. */
const limitedMs = 1_000;
const longestLimitedMs = 30_000;

/** Longest time in ms for which a key is not used because its provider says so: a day. */
const longestSaidMs = 24 * 60 * 60 * 1_000;

/** Whether a key is used: at one target, or at all targets of its provider. */
export class KeyUse {
  readonly #clock: Clock;
  /** Until when the key is never used. */
  #limitedUntilMs = 0;
  /** Until when the key is used only if there is no other. */
  #rejectedUntilMs = 0;
  #reason: Reason | undefined;
  #inRow = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Until when the key is not used, on the clock. Undefined: it is used now. */
  get untilMs(): number | undefined {
    return this.#later(Math.max(this.#limitedUntilMs, this.#rejectedUntilMs));
  }

  /** Until when the provider limits the key, on the clock. Undefined: it does not. */
  get limitedUntilMs(): number | undefined {
    return this.#later(this.#limitedUntilMs);
  }

  /** Whether the provider limits the key at present. */
  get isLimited(): boolean {
    return this.limitedUntilMs !== undefined;
  }

  /** Reason of the latest failure. Undefined: none since the latest response. */
  get reason(): Reason | undefined {
    return this.#reason;
  }

  /** Returns a time that is not over. Reading the clock costs more than the rest, and healthy keys have no times. */
  #later(untilMs: number): number | undefined {
    return untilMs > 0 && untilMs > this.#clock.now() ? untilMs : undefined;
  }

  /** The provider limited the key. `retryAfterMs`: for how long, if the provider says it. Returns the time in ms. */
  limit(reason: Reason, retryAfterMs: number | undefined): number {
    // Requests that were in progress when the limit began say nothing about its length.
    if (!this.isLimited) this.#inRow++;
    const guessed = Math.min(limitedMs * 2 ** (this.#inRow - 1), longestLimitedMs);
    // A delay of 0 says that the limit is over, and yet the provider rejected the request.
    const forMs = Math.min(retryAfterMs || guessed, longestSaidMs);
    this.#reason = reason;
    this.#limitedUntilMs = Math.max(this.#limitedUntilMs, this.#clock.now() + forMs);
    return forMs;
  }

  /** The provider rejected the key. Returns the time in ms for which it is not used. */
  reject(reason: Reason): number {
    this.#reason = reason;
    this.#rejectedUntilMs = Math.max(this.#rejectedUntilMs, this.#clock.now() + rejectedMs);
    return rejectedMs;
  }

  /** The provider accepted the key. Returns whether it was out of use before. */
  accept(): boolean {
    // A request that was sent before the limit says nothing about it.
    if (this.#reason === undefined || this.isLimited) return false;
    this.#inRow = 0;
    this.#reason = undefined;
    this.#limitedUntilMs = 0;
    this.#rejectedUntilMs = 0;
    return true;
  }
}

/** A key at one target. */
export interface TargetKey {
  /** Undefined: the provider needs no key. */
  readonly key: ProviderKey | undefined;
  /** Name in the configuration. Empty: the key has none, or the provider needs no key. */
  readonly name: string;
  /** Rate limits and permissions, which providers have for each model. */
  readonly here: KeyUse;
  /** Whether the provider knows the key and its account has credit. */
  readonly everywhere: KeyUse;
}

/** Until when a key is not used at a target. Undefined: it is used now. */
export function unusedUntil({ here, everywhere }: TargetKey): number | undefined {
  const [one, other] = [here.untilMs, everywhere.untilMs];
  return one === undefined ? other : Math.max(one, other ?? 0);
}

/** Whether the provider limits a key at a target. Limits are never those of all targets. */
export function isLimited({ here }: TargetKey): boolean {
  return here.isLimited;
}
