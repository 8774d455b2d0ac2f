import type { Claim } from "../../../src/accounts/limits/limit-store.ts";

/** Parts of a unit, so that a bucket leaks `limit` whole parts in a microsecond. */
const parts = 60_000_000n;

interface Call {
  readonly claims: readonly Claim[];
  readonly holds: readonly (bigint | undefined)[];
}

/** The rules of limits, as simple as possible: everything in exact fractions, nothing is ever forgotten. */
export class LimitModel {
  nowUs = 0n;
  /** In parts. */
  readonly #levels = new Map<string, { level: bigint; atUs: bigint; limit: bigint }>();
  readonly #spent = new Map<string, bigint>();
  readonly #calls = new Map<string, Call>();

  reserve(callId: string, claims: readonly Claim[]): { refusedBy: number | undefined; shadowed: readonly number[] } {
    const holds = claims.map((claim) => this.#holdOf(claim));
    const refusedBy = claims.findIndex(({ shadow }, index) => !shadow && holds[index] === undefined);
    const shadowed = [...claims.keys()].filter((index) => claims[index]?.shadow && holds[index] === undefined);
    if (refusedBy !== -1) return { refusedBy, shadowed };
    this.#calls.set(callId, { claims, holds });
    claims.forEach((claim, index) => {
      const hold = holds[index];
      if (hold !== undefined && isRate(claim)) this.#fill(claim, hold);
    });
    return { refusedBy: undefined, shadowed };
  }

  settle(callId: string, used: readonly number[]): void {
    const call = this.#calls.get(callId);
    if (call === undefined) return;
    this.#calls.delete(callId);
    call.claims.forEach((claim, index) => {
      const hold = call.holds[index];
      const amount = BigInt(used[index] ?? 0);
      if (hold === undefined) return;
      if (isRate(claim)) this.#fill(claim, amount - hold);
      if (claim.kind === "budget") this.#spent.set(nameOf(claim), this.#spentOf(claim) + amount);
    });
  }

  /** What is left, rounded down. */
  leftOf(claim: Claim): bigint {
    if (!isRate(claim)) return BigInt(claim.limit) - this.#spentOf(claim) - this.#heldOf(claim);
    const level = this.#levelOf(claim);
    return BigInt(claim.limit) - (level + parts - 1n) / parts;
  }

  get callIds(): readonly string[] {
    return [...this.#calls.keys()];
  }

  /** Whether a call in progress holds something of one of its claims. */
  holds(callId: string, place: number): boolean {
    return this.#calls.get(callId)?.holds[place] !== undefined;
  }

  /** Returns what a call holds of a claim. Undefined: it does not fit. */
  #holdOf(claim: Claim): bigint | undefined {
    const [limit, hold] = [BigInt(claim.limit), BigInt(claim.hold)];
    if (isRate(claim)) return limit > 0n && this.#levelOf(claim) + hold * parts <= limit * parts ? hold : undefined;
    const left = this.leftOf(claim);
    if (hold <= left) return hold;
    if (claim.kind === "budget" && hold === 0n) return 0n;
    return claim.flexible && left > 0n ? left : undefined;
  }

  #levelOf(claim: Claim): bigint {
    const known = this.#levels.get(nameOf(claim));
    if (known === undefined) return 0n;
    const level = known.level - known.limit * (this.nowUs - known.atUs);
    return level > 0n ? level : 0n;
  }

  #fill(claim: Claim, amount: bigint): void {
    const level = this.#levelOf(claim) + amount * parts;
    this.#levels.set(nameOf(claim), {
      level: level > 0n ? level : 0n,
      atUs: this.nowUs,
      limit: BigInt(claim.limit),
    });
  }

  #spentOf(claim: Claim): bigint {
    return this.#spent.get(nameOf(claim)) ?? 0n;
  }

  #heldOf(claim: Claim): bigint {
    let held = 0n;
    for (const { claims, holds } of this.#calls.values()) {
      claims.forEach((other, index) => {
        if (nameOf(other) === nameOf(claim)) held += holds[index] ?? 0n;
      });
    }
    return held;
  }
}

function isRate({ kind }: Claim): boolean {
  return kind === "requests" || kind === "tokens";
}

function nameOf({ kind, holder, period }: Claim): string {
  return `${kind} ${holder} ${period?.name ?? ""}`;
}
