import type { Claim, Decision, Left, LimitStore } from "./limit-store.ts";
import { MemoryLimitStore } from "./memory-store.ts";
import type { PastSpending } from "./past-spending.ts";

/** Counts limits in this process, and knows from the ledger what budgets had spent before. */
export class RememberingLimitStore implements LimitStore {
  readonly #past: PastSpending;
  readonly #memory: MemoryLimitStore;

  constructor(past: PastSpending) {
    this.#past = past;
    this.#memory = new MemoryLimitStore({ spentBefore: (claim) => past.of(claim) });
  }

  reserve(callId: string, claims: readonly Claim[]): Decision | Promise<Decision> {
    return (
      this.#past.untilKnown(claims)?.then(() => this.#memory.reserve(callId, claims)) ??
      this.#memory.reserve(callId, claims)
    );
  }

  settle(callId: string, used: readonly number[]): void {
    this.#memory.settle(callId, used);
  }

  left(claims: readonly Claim[]): readonly Left[] | Promise<readonly Left[]> {
    return this.#past.untilKnown(claims)?.then(() => this.#memory.left(claims)) ?? this.#memory.left(claims);
  }

  async close(): Promise<void> {
    this.#past.close();
    await this.#memory.close();
  }
}
