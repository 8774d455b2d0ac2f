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
  #untilMs = 0;
  #reason: Reason | undefined;
  #inRow = 0;
  /** Rejected: it is used if there is no other key. Limited: it is never used before its time. */
  #isLimited = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Until when the key is not used, on the clock. Undefined: it is used now. */
  get untilMs(): number | undefined {
    return this.#untilMs > this.#clock.now() ? this.#untilMs : undefined;
  }

  /** Whether the provider limits the key at present. */
  get isLimited(): boolean {
    return this.#isLimited && this.untilMs !== undefined;
  }

  /** Reason of the latest failure. Undefined: none since the latest response. */
  get reason(): Reason | undefined {
    return this.#reason;
  }

  /** The provider limited the key. `retryAfterMs`: for how long, if the provider says it. Returns the time in ms. */
  limit(reason: Reason, retryAfterMs: number | undefined): number {
    const guessed = Math.min(limitedMs * 2 ** this.#inRow, longestLimitedMs);
    // A delay of 0 says that the limit is over, and yet the provider rejected the request.
    const forMs = Math.min(retryAfterMs || guessed, longestSaidMs);
    this.#inRow++;
    this.#isLimited = true;
    this.#reason = reason;
    this.#untilMs = Math.max(this.#untilMs, this.#clock.now() + forMs);
    return forMs;
  }

  /** The provider rejected the key. Returns the time in ms for which it is not used. */
  reject(reason: Reason): number {
    if (!this.isLimited) this.#isLimited = false;
    this.#reason = reason;
    this.#untilMs = Math.max(this.#untilMs, this.#clock.now() + rejectedMs);
    return rejectedMs;
  }

  /** The provider accepted the key. Returns whether it was out of use before. */
  accept(): boolean {
    this.#inRow = 0;
    // A request that was sent before the limit says nothing about it.
    if (this.#reason === undefined || this.isLimited) return false;
    this.#reason = undefined;
    this.#untilMs = 0;
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

export function isLimited({ here, everywhere }: TargetKey): boolean {
  return here.isLimited || everywhere.isLimited;
}
