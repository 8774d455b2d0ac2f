import type { Pin } from "./affinity.ts";
import { CallHistory, noKeys } from "./call-history.ts";
import {
  type Candidate,
  type CandidateRoute,
  type CandidateTier,
  chooseKey,
  chooseMember,
  hindranceOf,
  openUntil,
  usableOf,
} from "./candidate.ts";
import { isLimited, unusedUntil } from "./keys.ts";
import type { Next, SearchedCall, SharedSearch } from "./next-attempt.ts";
import { wait } from "./wait.ts";

/** Time in ms that an attempt needs at least. Only the first attempt of a call may have less. */
const shortestMs = 50;

/** Time in ms without attempts after which a call tries a target that usually needs more time than the call has. */
const longestRestMs = 10_000;

/** Longest addition to the wait for a limited key, as a share of the wait. */
const spread = 0.1;

interface Choice<Member> {
  readonly candidate: Member;
  readonly delayMs: number;
  readonly isForced: boolean;
}

/** Finds the attempts of one call: at which target, with which key, and when. */
export class Search<Member extends Candidate, Plan> {
  readonly #call: SearchedCall<Member, Plan>;
  readonly #route: CandidateRoute<Member>;
  readonly #shared: SharedSearch;
  readonly #draw = (): number => this.#shared.draws.next();
  readonly #pin: Pin | undefined;
  #awaited: Member | undefined;
  readonly history: CallHistory<Member, Plan>;

  constructor(call: SearchedCall<Member, Plan>, route: CandidateRoute<Member>, shared: SharedSearch) {
    this.#call = call;
    this.#route = route;
    this.#shared = shared;
    this.#pin = call.conversation && shared.affinity.find(call.conversation);
    this.history = new CallHistory(call, route, shared);
  }

  /** Waits until the next attempt may start. Undefined: there is none. Rejects when the call ends. */
  async next(): Promise<Next<Member, Plan> | undefined> {
    for (;;) {
      const choice = this.#choose();
      if (choice === undefined) return undefined;
      const { candidate, delayMs } = choice;
      if (delayMs > 0) await wait(delayMs, this.#shared.clock, this.#call.signal);
      else if (this.history.plans.has(candidate) || (await this.history.prepare(candidate))) {
        const next = this.#nextAt(choice);
        if (next !== undefined) return next;
      }
    }
  }

  /** Returns the candidate that the call would try now, if the earlier ones failed. Undefined: it tries none now. */
  async peek(): Promise<Next<Member, Plan> | undefined> {
    for (;;) {
      const choice = this.#choose();
      if (choice === undefined) return undefined;
      if (choice.delayMs > 0) {
        this.#awaited = choice.candidate;
        return undefined;
      }
      const { candidate } = choice;
      if (!this.history.plans.has(candidate) && !(await this.history.prepare(candidate))) continue;
      this.history.made++;
      this.history.tried.set(candidate, {
        attempts: 0,
        keys: undefined,
        notBeforeMs: Number.POSITIVE_INFINITY,
        isLast: true,
        isForced: false,
      });
      return this.#nextAt(choice);
    }
  }

  /** Candidate for which the call would wait, if `peek` has found no other. Undefined: it would not wait. */
  get awaited(): Member | undefined {
    return this.#awaited;
  }

  /** Returns an attempt beside one at another candidate. Undefined: there is none. */
  async hedge(other: Member): Promise<Next<Member, Plan> | undefined> {
    for (;;) {
      const candidate = this.history.counted < this.#route.rules.maxAttempts ? this.#fresh(other) : undefined;
      if (candidate === undefined) return undefined;
      if (this.history.plans.has(candidate)) return this.#nextAt({ candidate, delayMs: 0, isForced: false });
      // Planning takes time, in which the candidate can be tried. So it is chosen anew.
      await this.history.prepare(candidate);
    }
  }

  /** Number of other candidates that the call can still try. */
  further(candidate: Member): number {
    const left = this.#route.rules.maxAttempts - this.history.counted;
    if (left <= 0) return 0;
    let others = 0;
    for (const { members } of this.#route.tiers) {
      for (const member of members) if (member !== candidate && this.#isFresh(member)) others++;
    }
    return Math.min(others, left);
  }

  /** Whether another candidate is there that can serve the request. */
  async hasOther(candidate: Member): Promise<boolean> {
    return (await this.hedge(candidate)) !== undefined;
  }

  /** Whether an attempt may still start. It must then start in the same turn. */
  holds({ candidate, key, isForced, isRetry }: Next<Member, Plan>): boolean {
    // Planning takes time.
    if (!this.#fits(candidate, 0)) return false;
    // Another call has meanwhile begun to see whether the target still is slow.
    if (this.#hasInTime(candidate) && !this.#isInTime(candidate)) return false;
    if (isRetry && !candidate.state.retries.allows(this.#route.rules.retryBudget)) return false;
    if (isForced) return !isLimited(key);
    return unusedUntil(key) === undefined && candidate.state.breaker.isUsable;
  }

  #nextAt({ candidate, isForced }: Choice<Member>): Next<Member, Plan> | undefined {
    const plan = this.history.plans.get(candidate);
    const tried = this.history.tried.get(candidate);
    const isPinned = this.#pin?.target === candidate.state.name;
    const pinned = isPinned ? this.#pin?.key : undefined;
    const isWalk = candidate === this.history.walk;
    const free = chooseKey(candidate, (isWalk && tried?.keys) || noKeys, pinned, this.#draw);
    const key = free ?? (isForced ? candidate.keys.find((forced) => !isLimited(forced)) : undefined);
    if (plan === undefined || key === undefined) return undefined;
    return { candidate, key, plan, isForced, isRetry: !isWalk && (tried?.attempts ?? 0) > 0 };
  }

  /** Chooses the next attempt, as if it started now. */
  #choose(): Choice<Member> | undefined {
    const { rules, tiers } = this.#route;
    const walk = this.history.walk;
    if (walk !== undefined && this.history.canWalk(walk) && this.#fits(walk, 0)) {
      return { candidate: walk, delayMs: 0, isForced: !walk.state.breaker.isUsable };
    }
    this.history.walk = undefined;
    const sole = this.#soleFirst();
    if (sole !== undefined) return { candidate: sole, delayMs: 0, isForced: false };
    if (this.history.counted >= rules.maxAttempts) return undefined;
    const last = tiers.findLastIndex(({ members }) => members.some((member) => !this.history.rejected.has(member)));
    let late: CandidateTier<Member> | undefined;
    for (const [index, { members, balance }] of tiers.entries()) {
      const usable = usableOf(members, index === last ? this.#shared.maxOpenShare : undefined);
      const fresh = usable.filter(
        (member) => !this.history.rejected.has(member) && !this.history.tried.has(member) && this.#fits(member, 0),
      );
      const inTime = fresh.filter((member) => this.#isInTime(member));
      if (inTime.length > 0) return this.#fromTier({ members: inTime, balance });
      if (fresh.length > 0) late ??= { members: fresh, balance };
      const isLeft = this.history.counted + this.#freshTiersBelow(index) < rules.maxAttempts;
      const again = isLeft ? this.#soonest(usable, index) : undefined;
      if (again !== undefined) return again;
    }
    if (late !== undefined) return this.#fromTier(late);
    return this.#forced(tiers[last]?.members ?? [], true) ?? this.#limited() ?? this.#desperate();
  }

  /** Returns the only target of the call for its first attempt, if nothing hinders it: the usual case costs no lists. */
  #soleFirst(): Member | undefined {
    const { tiers } = this.#route;
    const [only, another] = tiers[0]?.members ?? [];
    if (only === undefined || another !== undefined || tiers.length > 1 || this.history.made > 0) return undefined;
    const isUsable = !this.history.rejected.has(only) && hindranceOf(only) === undefined && this.#fits(only, 0);
    return isUsable ? only : undefined;
  }

  #fromTier({ members, balance }: CandidateTier<Member>): Choice<Member> {
    const candidate = chooseMember(members, balance, this.#pin?.target, this.#draw);
    return { candidate, delayMs: 0, isForced: hindranceOf(candidate) !== undefined };
  }

  /** Returns the first retry among candidates of a tier that the call has tried. */
  #soonest(usable: readonly Member[], tier: number): Choice<Member> | undefined {
    let best: Choice<Member> | undefined;
    for (const candidate of usable) {
      const delayMs = this.#retryDelay(candidate);
      if (delayMs === undefined || (best !== undefined && best.delayMs <= delayMs)) continue;
      const yields = this.history.tried.get(candidate)?.isLast || (this.history.isShort && delayMs > 0);
      if (yields && this.#freshTiersBelow(tier) > 0) continue;
      best = { candidate, delayMs, isForced: hindranceOf(candidate) !== undefined };
    }
    return best;
  }

  /** Returns after how many ms a candidate may be tried once more. Undefined: never. */
  #retryDelay(candidate: Member): number | undefined {
    const { maxPerTarget, retryBudget } = this.#route.rules;
    const tried = this.history.tried.get(candidate);
    if (tried === undefined || tried.attempts >= maxPerTarget || this.history.rejected.has(candidate)) return undefined;
    const delayMs = Math.max(0, tried.notBeforeMs - this.#shared.clock.now());
    if (!this.#fits(candidate, delayMs)) return undefined;
    return candidate.state.retries.allows(retryBudget) ? delayMs : undefined;
  }

  /**
   * Returns a target that is open or whose keys were rejected, if the call has nothing better and has not tried it.
   *
   * @param waits whether a target of which only some keys are limited is left out: a call can wait for one of them
   */
  #forced(members: readonly Member[], waits: boolean): Choice<Member> | undefined {
    const [first] = members
      .filter(
        (member) => !this.history.rejected.has(member) && !this.history.tried.has(member) && this.#fits(member, 0),
      )
      .filter((member) => (waits ? hindranceOf(member)?.kind !== "limit" : !member.keys.every(isLimited)))
      .toSorted((a, b) => openUntil(a) - openUntil(b));
    return first && { candidate: first, delayMs: 0, isForced: true };
  }

  /** Returns the candidate whose provider accepts requests first, if that is soon enough to wait for. */
  #limited(): Choice<Member> | undefined {
    const now = this.#shared.clock.now();
    let best: Choice<Member> | undefined;
    for (const { members } of this.#route.tiers) {
      for (const candidate of members) {
        if (this.history.rejected.has(candidate)) continue;
        const hindrance = hindranceOf(candidate);
        if (hindrance?.kind !== "limit" || hindrance.untilMs === undefined) continue;
        // Calls that wait for the same key do not all start at once.
        const delayMs = (hindrance.untilMs - now) * (1 + spread * this.#draw());
        if (this.history.tried.has(candidate) && this.#retryDelay(candidate) === undefined) continue;
        if (delayMs > this.#route.rules.retryAfterUpToMs || !this.#fits(candidate, delayMs)) continue;
        if (best === undefined || delayMs < best.delayMs) best = { candidate, delayMs, isForced: false };
      }
    }
    return best;
  }

  /** Returns a target of any tier as `forced` does, if the call would otherwise fail without an attempt. */
  #desperate(): Choice<Member> | undefined {
    if (this.history.counted > 0) return undefined;
    return this.#forced(
      this.#route.tiers.flatMap(({ members }) => members),
      false,
    );
  }

  #fresh(other: Member): Member | undefined {
    for (const { members, balance } of this.#route.tiers) {
      const fresh = members.filter((member) => member !== other && this.#isFresh(member));
      if (fresh.length > 0) return chooseMember(fresh, balance, undefined, this.#draw);
    }
    return undefined;
  }

  #isFresh(member: Member): boolean {
    if (this.history.tried.has(member) || this.history.rejected.has(member)) return false;
    return hindranceOf(member) === undefined && this.#fits(member, 0);
  }

  /** Number of further tiers with a target that the call can still try. Retries leave an attempt for each of them. */
  #freshTiersBelow(tier: number): number {
    const further = this.#route.tiers.slice(tier + 1);
    return further.filter(({ members }) => members.some((member) => this.#isFresh(member))).length;
  }

  /** Whether another target that can be tried usually needs less time than is left. */
  #hasInTime(than: Member): boolean {
    const leftMs = this.#call.leftMs();
    const isBetter = (other: Member) =>
      other !== than && this.#isFresh(other) && leftMs >= (other.state.streamed.usual ?? 0);
    return this.#route.tiers.some(({ members }) => members.some(isBetter));
  }

  /**
   * Whether the first attempt of a call can have its first output before the deadline. From time to time a call sees
   * whether a slow target still is, if half of its time is enough for another one.
   */
  #isInTime(member: Member): boolean {
    const leftMs = this.#call.leftMs();
    if (this.history.made > 0 || leftMs >= (member.state.streamed.usual ?? 0)) return true;
    if (member.state.restMs < longestRestMs) return false;
    return this.#route.tiers.some(({ members }) =>
      members.some(
        (other) => other !== member && this.#isFresh(other) && leftMs >= 2 * (other.state.streamed.usual ?? 0),
      ),
    );
  }

  /** Whether an attempt that starts after a delay can have its first output before the deadline. */
  #fits({ state }: Member, delayMs: number): boolean {
    const leftMs = this.#call.leftMs() - delayMs;
    if (this.history.made === 0) return leftMs > 0;
    return leftMs >= Math.max(shortestMs, state.streamed.usual ?? 0);
  }
}
