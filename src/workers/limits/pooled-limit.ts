import type { Dealt, Given, Wanted } from "./messages.ts";

/** Time in ms in which a rate limit has leaked completely. */
const minuteMs = 60_000;

interface Member {
  share: number;
  /** What the worker had free when it got its last share. */
  free: number;
  /** Undefined: it has not used the limit. */
  past: number | undefined;
}

/** What an ended worker may have taken of a rate limit: it leaks evenly, and is free in a minute. */
interface Leaking {
  readonly amount: number;
  readonly sinceMs: number;
  freed: number;
}

/** A limit that workers share, and what none of them has. */
export class PooledLimit {
  readonly #kind: Wanted["kind"];
  readonly #members = new Map<number, Member>();
  #leaking: Leaking[] = [];
  /** The limit without what a budget had spent before. */
  #whole = 0;
  /** What no worker has. Negative: the limit has become lower than what the workers have. */
  #rest = 0;
  #limit = 0;
  #endMs: number | undefined;

  constructor(kind: Wanted["kind"]) {
    this.#kind = kind;
  }

  /** Notes how large the limit is. */
  set(worker: number, { limit, past, endMs }: Pick<Wanted, "limit" | "past" | "endMs">): void {
    this.#member(worker).past = past;
    this.#limit = limit;
    this.#endMs = endMs;
    // A worker that saw a budget later than another finds what the other spent in the ledger, too.
    const least = Math.min(...[...this.#members.values()].map((member) => member.past ?? past));
    const whole = limit - least;
    this.#rest += whole - this.#whole;
    this.#whole = whole;
  }

  give(worker: number, free: number): void {
    const member = this.#member(worker);
    member.share -= free;
    member.free = 0;
    this.#rest += free;
  }

  /** A worker has ended, and its calls with it. */
  leave(worker: number, nowMs: number): void {
    const member = this.#members.get(worker);
    if (member === undefined) return;
    this.#members.delete(worker);
    if (this.#kind === "calls") this.#rest += member.share;
    // It has spent the rest of its share.
    else if (this.#kind === "budget") this.#rest += member.free;
    else if (member.share > 0) this.#leaking.push({ amount: member.share, sinceMs: nowMs, freed: 0 });
  }

  /** Deals what no worker has: pays debts, then what waiting calls need, and then the rest by what each has taken. */
  deal(
    given: ReadonlyMap<number, Given>,
    needs: ReadonlyMap<number, number>,
    nowMs: number,
  ): ReadonlyMap<number, Omit<Dealt, "name">> {
    this.#free(nowMs);
    const amounts = new Map([...given.keys()].map((worker) => [worker, 0]));
    const take = (worker: number, amount: number): number => {
      const taken = Math.max(0, Math.min(amount, this.#rest));
      this.#rest -= taken;
      amounts.set(worker, (amounts.get(worker) ?? 0) + taken);
      return taken;
    };
    for (const [worker, { debt }] of given) take(worker, debt);
    const short = new Set<number>();
    for (const [worker, need] of needs) {
      if (given.has(worker) && take(worker, need) < need) short.add(worker);
    }
    const rest = this.#rest;
    const weights = [...given].map(([worker, { taken }]) => [worker, 1 + taken] as const);
    const sum = weights.reduce((total, [, weight]) => total + weight, 0);
    for (const [worker, weight] of weights) take(worker, Math.floor((rest * weight) / sum));
    const debts = [...given.values()].reduce((total, { debt }) => total + debt, 0);
    for (const [worker, amount] of amounts) {
      const member = this.#member(worker);
      member.share += amount;
      member.free = Math.max(0, amount - (given.get(worker)?.debt ?? 0));
    }
    const whole = this.#rest + [...amounts.values()].reduce((total, amount) => total + amount, 0) - debts;
    return new Map(
      [...amounts].map(([worker, amount]) => {
        const own = amount - (given.get(worker)?.debt ?? 0);
        return [worker, { amount, others: whole - own, isShort: short.has(worker) }];
      }),
    );
  }

  /** Whether nobody needs to know of the limit any more. */
  isIdle(nowMs: number): boolean {
    if (this.#endMs !== undefined) return this.#endMs < Date.now();
    this.#free(nowMs);
    return this.#rest === this.#limit && this.#leaking.length === 0;
  }

  #free(nowMs: number): void {
    for (const leaking of this.#leaking) {
      const share = Math.min(1, (nowMs - leaking.sinceMs) / minuteMs);
      const freed = Math.floor(leaking.amount * share);
      this.#rest += freed - leaking.freed;
      leaking.freed = freed;
    }
    this.#leaking = this.#leaking.filter(({ amount, freed }) => freed < amount);
  }

  #member(worker: number): Member {
    const known = this.#members.get(worker);
    if (known !== undefined) return known;
    const member: Member = { share: 0, free: 0, past: undefined };
    this.#members.set(worker, member);
    return member;
  }
}
