import type { Renewal, Settlement, WireClaim, Work } from "./message.ts";

/** Maximum settlements, charges and renewals in a message, so that it does not hold up other replicas. */
const mostPerMessage = 256;

/** What a process has still to tell the store that replicas share. */
export class PendingWork {
  #settlements: Settlement[] = [];
  #renewals: Renewal[] = [];
  /** By name: charges of one limit are one sum, so that a long absence of the store does not fill the memory. */
  readonly #charges = new Map<string, WireClaim>();
  #counts = false;

  get isEmpty(): boolean {
    return this.#settlements.length === 0 && this.#renewals.length === 0 && this.#charges.size === 0 && !this.#counts;
  }

  /** Number of calls and limits that the store does not know about yet. */
  get size(): number {
    return this.#settlements.length + this.#charges.size;
  }

  settle(settlement: Settlement): void {
    this.#settlements.push(settlement);
    // Its renewal would give the call its leases back.
    if (this.#renewals.length > 0) this.#renewals = this.#renewals.filter(([callId]) => callId !== settlement[0]);
  }

  charge([kind, name, limit, amount, flags, endMs]: WireClaim): void {
    const sum = (this.#charges.get(name)?.[3] ?? 0) + amount;
    if (sum > 0) this.#charges.set(name, [kind, name, limit, Math.min(sum, Number.MAX_SAFE_INTEGER), flags, endMs]);
  }

  renew(renewals: readonly Renewal[]): void {
    this.#renewals = [...renewals];
    this.#counts = true;
  }

  /** Takes the next part of the work. */
  take(): Omit<Work, "reservations"> {
    const charges = [...this.#charges.values()].slice(0, mostPerMessage);
    for (const [, name] of charges) this.#charges.delete(name);
    const work = {
      settlements: this.#settlements.splice(0, mostPerMessage),
      charges,
      renewals: this.#renewals.splice(0, mostPerMessage),
      counts: this.#counts,
    };
    this.#counts = false;
    return work;
  }

  /** Takes back work that the store has not done. Renewals are made again anyway. */
  restore({ settlements, charges }: Work): void {
    this.#settlements = [...settlements, ...this.#settlements];
    for (const charge of charges) this.charge(charge);
  }
}
