import { limitName } from "../accounts/limits/limit-name.ts";
import type { Claim, Decision, Left } from "../accounts/limits/limit-store.ts";
import { MemoryLimitStore } from "../accounts/limits/memory-store.ts";
import { isRate, toWire, type WireClaim } from "./message.ts";

/** Maximum budgets whose rest a process remembers. */
const mostBudgets = 65_536;

/** What this process knows of the budgets that replicas share: what was left of each, the last time. */
export class KnownBudgets {
  readonly #left = new Map<string, number>();

  note(claims: readonly Claim[], { left }: Decision): void {
    claims.forEach((claim, index) => {
      if (claim.kind !== "budget") return;
      if (this.#left.size >= mostBudgets) this.#left.clear();
      this.#left.set(limitName(claim), Math.max(0, left[index]?.remaining ?? 0));
    });
  }

  /** Returns what was left. A budget that this process has not seen counts as whole. */
  leftOf(claim: Claim): number {
    return this.#left.get(limitName(claim)) ?? claim.limit;
  }
}

/**
 * Limits that a process enforces while the store that replicas share is away: its share of each limit, and of what was
 * left of each budget.
 */
export class LocalLimits {
  readonly #store = new MemoryLimitStore();
  readonly #budgets: KnownBudgets;
  readonly #replicas: number;
  /** Shares of budgets, by name of the limit: they must not change while the store is away. */
  readonly #shares = new Map<string, number>();
  readonly #rates = new Map<string, Claim>();

  constructor(budgets: KnownBudgets, replicas: number) {
    this.#budgets = budgets;
    this.#replicas = Math.max(1, replicas);
  }

  reserve(callId: string, claims: readonly Claim[]): Decision {
    const shares = claims.map((claim) => this.#shareOf(claim));
    const decision = this.#store.reserve(callId, shares);
    return { ...decision, left: this.#wholes(shares, decision.left), shared: false };
  }

  /** Lets a call in, whatever is left. */
  force(callId: string, claims: readonly Claim[]): Decision {
    const shares = claims.map((claim) => this.#shareOf(claim));
    this.#store.force(callId, shares);
    return {
      ...{ refusedBy: undefined, waitMs: undefined, shadowed: [], shared: false },
      left: this.#wholes(shares, this.#store.left(shares)),
    };
  }

  left(claims: readonly Claim[]): readonly Left[] {
    const shares = claims.map((claim) => this.#shareOf(claim));
    return this.#wholes(shares, this.#store.left(shares));
  }

  settle(callId: string, used: readonly number[]): void {
    this.#store.settle(callId, used);
  }

  /** Returns what calls have taken of rate limits and what has not leaked yet, as charges for the shared store. */
  charges(): readonly WireClaim[] {
    const charges: WireClaim[] = [];
    this.#store.eachBucket((name, _share, used) => {
      const claim = this.#rates.get(name);
      if (claim !== undefined && used > 0) charges.push(toWire(claim, Math.min(used, claim.limit)));
    });
    return charges;
  }

  /** Adds the shares of the other replicas to what is left of budgets, as far as this process knows it. */
  #wholes(shares: readonly Claim[], left: readonly Left[]): readonly Left[] {
    return left.map((rest, index) => {
      const share = shares[index];
      if (share?.kind !== "budget") return rest;
      return { ...rest, remaining: rest.remaining + this.#budgets.leftOf(share) - share.limit };
    });
  }

  #shareOf(claim: Claim): Claim {
    const name = limitName(claim);
    if (claim.kind === "budget") {
      const limit = this.#shares.get(name) ?? Math.floor(this.#budgets.leftOf(claim) / this.#replicas);
      this.#shares.set(name, limit);
      return { ...claim, limit };
    }
    if (isRate(claim)) this.#rates.set(name, claim);
    const limit = claim.limit === 0 ? 0 : Math.max(1, Math.floor(claim.limit / this.#replicas));
    return { ...claim, limit, hold: Math.min(claim.hold, limit) };
  }
}
