import { limitName } from "../../accounts/limits/limit-name.ts";
import type { Claim, Decision, Left, LimitStore } from "../../accounts/limits/limit-store.ts";
import { type LimitClock, MemoryLimitStore, retryMs, systemClock } from "../../accounts/limits/memory-store.ts";
import type { PastSpending } from "../../accounts/limits/past-spending.ts";
import type { Dealt, Given, LimitOrder, LimitReport, Wanted } from "./messages.ts";
import { rebalanceMs } from "./messages.ts";
import { Share } from "./share.ts";

/** Longest wait in ms of a call for larger shares, while some worker does not give what it has. */
const longestWaitMs = 1_000;

/** Time in ms after which a call no longer waits for an answer, and asks again. */
const longestAnswerMs = 500;

/** Pause in ms before a call asks again that got an answer, but not enough. */
const askAgainMs = 20;

interface ShareOptions {
  send(report: LimitReport): void;
  /** What budgets had spent before the workers counted it. Undefined: nothing. */
  readonly past?: Pick<PastSpending, "untilKnown" | "of" | "close"> | undefined;
  readonly clock?: LimitClock;
}

/**
 * Counts the limits of this worker: its shares of the limits that workers have together. A call that does not fit a
 * share waits for a larger one, unless there has been none lately.
 */
export class ShareStore implements LimitStore {
  readonly #options: ShareOptions;
  readonly #clock: LimitClock;
  readonly #memory: MemoryLimitStore;
  readonly #shares = new Map<string, Share>();
  /** Shares that the calls in progress took from. */
  readonly #calls = new Map<string, readonly Share[]>();
  readonly #timer: NodeJS.Timeout;

  constructor(options: ShareOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#memory = new MemoryLimitStore({ clock: this.#clock });
    this.#timer = setInterval(() => this.#rebalance(), rebalanceMs).unref();
  }

  /** Number of limits that the worker has a share of. */
  get size(): number {
    return this.#shares.size;
  }

  reserve(callId: string, claims: readonly Claim[]): Decision | Promise<Decision> {
    const known = this.#options.past?.untilKnown(claims);
    if (known !== undefined) return known.then(() => this.#reserve(callId, claims));
    return this.#reserve(callId, claims);
  }

  settle(callId: string, used: readonly number[]): void {
    const shares = this.#calls.get(callId);
    if (shares === undefined) return;
    this.#calls.delete(callId);
    // The memory has the claims with the shares of that time.
    for (const share of shares) this.#keepLeaked(share);
    this.#memory.settle(callId, used);
    for (const share of shares) this.#keepLeaked(share);
  }

  async left(claims: readonly Claim[]): Promise<readonly Left[]> {
    await this.#options.past?.untilKnown(claims);
    await new Promise<void>((resolve) =>
      this.#ask(
        claims.map((claim) => [this.#shareOf(claim), 0] as const),
        resolve,
      ),
    );
    return this.#wholes(claims, this.#memory.left(this.#scaled(claims)));
  }

  /** Gives back all shares, so that other workers have them at once. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#options.past?.close();
    this.#give(0, [...this.#shares.keys()]);
  }

  receive(order: LimitOrder): void {
    if (order.kind === "give") this.#give(order.round, order.names);
    else {
      // Calls can wait for several of them.
      for (const dealt of order.limits) this.#get(dealt);
      for (const { name } of order.limits) this.#named(name).tell();
    }
  }

  #reserve(callId: string, claims: readonly Claim[]): Decision | Promise<Decision> {
    const lacking = this.#lacking(claims);
    return lacking.length === 0 ? this.#decide(callId, claims) : this.#decideLater(callId, claims, lacking);
  }

  #decideLater(callId: string, claims: readonly Claim[], lacking: Lacking): Promise<Decision> {
    const untilMs = this.#clock.us() / 1000 + longestWaitMs;
    const { promise, resolve } = Promise.withResolvers<Decision>();
    const decide = (): void => {
      const lacks = this.#lacking(claims);
      const asksAgain = lacks.length > 0 && this.#clock.us() / 1000 < untilMs;
      if (asksAgain) setTimeout(() => this.#ask(lacks, decide), askAgainMs);
      else resolve(this.#decide(callId, claims));
    };
    this.#ask(lacking, decide);
    return promise;
  }

  /** Returns the shares that a call does not fit, and what it needs of them. */
  #lacking(claims: readonly Claim[]): Lacking {
    const now = this.#clock.us() / 1000;
    const left = this.#memory.left(this.#scaled(claims));
    return claims.flatMap((claim, index) => {
      const share = this.#shareOf(claim);
      const lack = claim.hold - (left[index]?.remaining ?? 0);
      const isPossible = claim.limit > 0 && (claim.hold <= claim.limit || claim.flexible === true);
      // The worker gives what it has free before it gets more: so the call needs all that it takes.
      return lack > 0 && isPossible && now >= share.shortUntilMs ? [[share, claim.hold] as const] : [];
    });
  }

  /**
   * Asks for larger shares, and calls `then` when this worker has got what there is: in the same turn, since the next
   * order can be to give it.
   */
  #ask(lacking: Lacking, then: () => void): void {
    const limits: Wanted[] = [];
    for (const [share, need] of lacking) {
      const wanted = this.#wanted(share, need);
      if (wanted !== undefined) limits.push(wanted);
    }
    let waiting = new Set(lacking.map(([share]) => share));
    if (waiting.size === 0) {
      then();
      return;
    }
    const finish = (): void => {
      clearTimeout(timer);
      waiting = new Set();
      then();
    };
    const timer = setTimeout(finish, longestAnswerMs);
    for (const share of waiting) {
      share.onceDealt(() => {
        if (waiting.delete(share) && waiting.size === 0) finish();
      });
    }
    this.#options.send({ kind: "want", limits });
  }

  #wanted({ name, claim }: Share, need: number): Wanted | undefined {
    if (claim === undefined) return undefined;
    const { kind, limit, period } = claim;
    return { name, kind, limit, past: this.#options.past?.of(claim) ?? 0, endMs: period?.endMs, need };
  }

  #decide(callId: string, claims: readonly Claim[]): Decision {
    const scaled = this.#scaled(claims);
    const { left, ...decision } = this.#memory.reserve(callId, scaled);
    if (decision.refusedBy === undefined) {
      const shares = claims.map((claim) => this.#shareOf(claim));
      this.#calls.set(callId, shares);
      shares.forEach((share, index) => {
        share.take(claims[index]?.hold ?? 0);
      });
    }
    const wholes = this.#wholes(claims, left);
    const refusing = claims[decision.refusedBy ?? -1];
    const rest = wholes[decision.refusedBy ?? -1]?.remaining ?? 0;
    return { ...decision, left: wholes, waitMs: refusing && this.#waitMs(refusing, rest) };
  }

  /** Returns the milliseconds until a call fits the whole limit. Undefined: not known, or never. */
  #waitMs({ kind, limit, hold, period }: Claim, remaining: number): number | undefined {
    if (limit === 0) return undefined;
    if (kind === "calls") return retryMs;
    if (kind === "budget") return remaining > 0 ? retryMs : Math.max(0, (period?.endMs ?? 0) - this.#clock.ms());
    return hold > limit ? undefined : Math.max(1, leakMs(hold - remaining, limit));
  }

  #scaled(claims: readonly Claim[]): readonly Claim[] {
    return claims.map((claim) => ({ ...claim, limit: this.#shareOf(claim).amount }));
  }

  /** Adds what others have. */
  #wholes(claims: readonly Claim[], left: readonly Left[]): readonly Left[] {
    return claims.map((claim, index) => {
      const { remaining = 0, held = 0 } = left[index] ?? {};
      const whole = Math.min(claim.limit, remaining + this.#shareOf(claim).others);
      const isRate = claim.kind === "requests" || claim.kind === "tokens";
      const untilEndMs = whole < claim.limit && claim.period ? Math.max(0, claim.period.endMs - this.#clock.ms()) : 0;
      return { remaining: whole, held, resetMs: isRate ? leakMs(claim.limit - whole, claim.limit) : untilEndMs };
    });
  }

  #shareOf(claim: Claim): Share {
    const share = this.#named(limitName(claim));
    share.claim = claim;
    return share;
  }

  #named(name: string): Share {
    const known = this.#shares.get(name);
    if (known !== undefined) return known;
    const share = new Share(name);
    this.#shares.set(name, share);
    return share;
  }

  #give(round: number, names: readonly string[]): void {
    const limits = names.map((name): Given => {
      const share = this.#shares.get(name);
      if (share === undefined) return { name, free: 0, debt: 0, taken: 0 };
      this.#keepLeaked(share);
      const given = share.give(this.#remaining(share));
      this.#keepLeaked(share);
      return given;
    });
    this.#options.send({ kind: "given", round, limits });
  }

  #get({ name, amount, others, isShort }: Dealt): void {
    const share = this.#named(name);
    this.#keepLeaked(share);
    share.get(amount, others, isShort ? this.#clock.us() / 1000 + rebalanceMs : undefined);
    this.#keepLeaked(share);
  }

  #remaining({ claim, amount }: Share): number {
    if (claim === undefined) return amount;
    return this.#memory.left([{ ...claim, limit: amount }])[0]?.remaining ?? 0;
  }

  /** Lets a rate limit leak until now, before and after its share changes: it leaks by its share. */
  #keepLeaked({ claim, amount }: Share): void {
    if (claim?.kind !== "requests" && claim?.kind !== "tokens") return;
    this.#memory.force("", [{ ...claim, limit: amount, hold: 0 }]);
    this.#memory.settle("", [0]);
  }

  /** Has the limits dealt again that calls took from, and gives back those that nobody used for a while. */
  #rebalance(): void {
    const limits: Wanted[] = [];
    const idle: string[] = [];
    for (const share of this.#shares.values()) {
      const wanted = share.isTouched() ? this.#wanted(share, 0) : undefined;
      if (wanted !== undefined) limits.push(wanted);
      else if (share.isIdle(this.#remaining(share), this.#clock.ms())) idle.push(share.name);
    }
    if (limits.length > 0) this.#options.send({ kind: "want", limits });
    if (idle.length === 0) return;
    this.#give(0, idle);
    for (const name of idle) this.#shares.delete(name);
  }
}

type Lacking = readonly (readonly [share: Share, need: number])[];

function leakMs(amount: number, limit: number): number {
  return amount <= 0 ? 0 : Math.ceil((amount * 60_000) / limit);
}
