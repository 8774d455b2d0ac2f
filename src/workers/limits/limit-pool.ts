import type { Dealt, Given, LimitOrder, LimitReport, Wanted } from "./messages.ts";
import { PooledLimit } from "./pooled-limit.ts";

/**
 * Longest wait in ms for a worker that does not give: its event loop is busy. What it gives later counts then. Until it
 * reports something, no further round waits for it.
 */
const longestGiveMs = 500;

interface PoolOptions {
  send(worker: number, order: LimitOrder): void;
  /** Milliseconds of a clock that never goes back. */
  now?(): number;
}

interface Round {
  readonly id: number;
  readonly wanted: ReadonlyMap<string, Map<number, number>>;
  readonly waiting: Set<number>;
  readonly given: Map<number, readonly Given[]>;
  readonly timer: NodeJS.Timeout;
}

/**
 * Divides limits among workers, so that all shares of a limit together never exceed it. In a round, all workers give
 * what no call has taken of some limits, and the pool deals it again: first to those whose calls wait, and the rest by
 * what each has taken lately.
 */
export class LimitPool {
  readonly #options: PoolOptions;
  readonly #now: () => number;
  readonly #limits = new Map<string, PooledLimit>();
  readonly #workers = new Set<number>();
  readonly #ended = new Set<number>();
  /** Workers that did not give in time. */
  readonly #silent = new Set<number>();
  #next = new Map<string, Map<number, number>>();
  #round: Round | undefined;
  #rounds = 0;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /** Number of limits in use. */
  get size(): number {
    return this.#limits.size;
  }

  /** A worker has ended. */
  leave(worker: number): void {
    this.#workers.delete(worker);
    this.#ended.add(worker);
    this.#silent.delete(worker);
    for (const [name, limit] of this.#limits) {
      limit.leave(worker, this.#now());
      if (limit.isIdle(this.#now())) this.#limits.delete(name);
    }
    this.#gave(worker);
  }

  receive(worker: number, report: LimitReport): void {
    if (this.#ended.has(worker)) return;
    this.#workers.add(worker);
    this.#silent.delete(worker);
    if (report.kind === "want") {
      for (const wanted of report.limits) this.#want(worker, wanted);
      this.#begin();
      return;
    }
    for (const { name, free } of report.limits) this.#limits.get(name)?.give(worker, free);
    if (report.round === 0) this.#forget(report.limits);
    if (report.round !== this.#round?.id) return;
    this.#round.given.set(worker, report.limits);
    this.#gave(worker);
  }

  #want(worker: number, { name, need, ...wanted }: Wanted): void {
    let limit = this.#limits.get(name);
    if (limit === undefined) {
      limit = new PooledLimit(wanted.kind);
      this.#limits.set(name, limit);
    }
    limit.set(worker, wanted);
    const needs = this.#next.get(name) ?? new Map<number, number>();
    needs.set(worker, need + (needs.get(worker) ?? 0));
    this.#next.set(name, needs);
  }

  /** Forgets limits that no worker uses any more. */
  #forget(given: readonly Given[]): void {
    for (const { name } of given) {
      if (this.#limits.get(name)?.isIdle(this.#now())) this.#limits.delete(name);
    }
  }

  #begin(): void {
    if (this.#round !== undefined || this.#next.size === 0) return;
    const id = ++this.#rounds;
    const timer = setTimeout(() => this.#deal(), longestGiveMs).unref();
    this.#round = { id, wanted: this.#next, waiting: this.#workers.difference(this.#silent), given: new Map(), timer };
    this.#next = new Map();
    const names = [...this.#round.wanted.keys()];
    for (const worker of this.#workers) this.#options.send(worker, { kind: "give", round: id, names });
  }

  #gave(worker: number): void {
    this.#round?.waiting.delete(worker);
    if (this.#round?.waiting.size === 0) this.#deal();
  }

  #deal(): void {
    const round = this.#round;
    if (round === undefined) return;
    clearTimeout(round.timer);
    this.#round = undefined;
    for (const worker of round.waiting) this.#silent.add(worker);
    const dealt = new Map<number, Dealt[]>([...round.given.keys()].map((worker) => [worker, []]));
    const now = this.#now();
    for (const [name, needs] of round.wanted) {
      const limit = this.#limits.get(name);
      if (limit === undefined) continue;
      const reports = new Map<number, Given>();
      for (const [worker, limits] of round.given) {
        const given = limits.find((one) => one.name === name);
        if (given !== undefined && this.#workers.has(worker)) reports.set(worker, given);
      }
      for (const [worker, deal] of limit.deal(reports, needs, now)) {
        // A worker that has not given can have what a call needs.
        dealt.get(worker)?.push({ name, ...deal, isShort: deal.isShort && this.#silent.size === 0 });
      }
      if (limit.isIdle(now)) this.#limits.delete(name);
    }
    for (const [worker, limits] of dealt) {
      if (limits.length > 0) this.#options.send(worker, { kind: "dealt", limits });
    }
    this.#begin();
  }
}
