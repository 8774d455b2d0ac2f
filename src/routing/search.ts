import { GatewayError, type Reason, toGatewayError } from "../errors.ts";
import type { Affinity, Conversation, Pin } from "./affinity.ts";
import {
  type Candidate,
  type CandidateRoute,
  chooseKey,
  chooseMember,
  type Hindrance,
  hindranceError,
  hindranceOf,
  openUntil,
  usableOf,
} from "./candidate.ts";
import type { Clock } from "./clock.ts";
import type { Draws } from "./draws.ts";
import { nextStep } from "./failures.ts";
import { isLimited, type TargetKey, unusedUntil } from "./keys.ts";
import { SmallMap } from "./small-map.ts";
import { wait } from "./wait.ts";

/** Time in ms that an attempt needs at least. Only the first attempt of a call may have less. */
const shortestMs = 50;

/** Longest addition to the wait for a limited key, as a share of the wait. */
const spread = 0.1;

/** What the search for targets needs of a call. `Plan`: how the call is sent to one candidate. */
export interface SearchedCall<Member extends Candidate, Plan> {
  /** Aborted when the call ends. The reason is a GatewayError. */
  readonly signal: AbortSignal;
  /** The conversation for affinity. Undefined: none. */
  readonly conversation: Conversation | undefined;
  /** Returns the milliseconds until the deadline. */
  leftMs(): number;
  /** Prepares the request for a candidate. Throws a GatewayError if the candidate cannot serve it. */
  plan(candidate: Member): Promise<Plan>;
}

/** State that the searches of all calls share. */
export interface SharedSearch {
  readonly clock: Clock;
  readonly draws: Draws;
  readonly affinity: Affinity;
  readonly maxOpenShare: number;
}

/** The next attempt of a call. */
export interface Next<Member extends Candidate, Plan> {
  readonly candidate: Member;
  readonly key: TargetKey;
  readonly plan: Plan;
  /** Whether it repeats an attempt at the same target. */
  readonly isRetry: boolean;
  /** Whether the target is asked although its breaker is open or its keys were rejected, for want of a better one. */
  readonly isForced: boolean;
}

/** What a call knows about a candidate that it has tried. */
interface Tried {
  attempts: number;
  /** Keys that the provider did not accept since the latest attempt that counts. */
  keys: Set<TargetKey> | undefined;
  /** When the next attempt may start, on the clock. Infinity: never. */
  notBeforeMs: number;
  /** Whether any other candidate is better: it sent no output in time, or its provider requested a wait. */
  isLast: boolean;
  /** Whether the latest attempt was made although the breaker was open. */
  isForced: boolean;
}

interface Choice<Member> {
  readonly candidate: Member;
  readonly delayMs: number;
  readonly isForced: boolean;
}

const hindrances = {
  breaker: "failed too often before",
  keys: "rejected all keys before",
  limit: "limits the rate of all keys",
} as const satisfies Record<Hindrance["kind"], string>;

const noKeys: ReadonlySet<TargetKey> = new Set();

/** Whether a target without keys may accept a request that it rejected: later, or once more with a new token. */
function canAccept(reason: Reason, attempts: number): boolean {
  return reason === "PROVIDER_RATE_LIMITED" || (reason === "PROVIDER_CREDENTIALS_REJECTED" && attempts === 1);
}

/** Finds the attempts of one call: at which target, with which key, and when. */
export class Search<Member extends Candidate, Plan> {
  readonly #call: SearchedCall<Member, Plan>;
  readonly #route: CandidateRoute<Member>;
  readonly #shared: SharedSearch;
  readonly #draw: () => number;
  readonly #pin: Pin | undefined;
  readonly #tried = new SmallMap<Member, Tried>();
  readonly #plans = new SmallMap<Member, Plan>();
  /** Candidates that cannot serve the request, with the reason. */
  readonly #rejected = new SmallMap<Member, GatewayError>();
  /** Candidate whose other keys come before other candidates. */
  #walk: Member | undefined;
  /** Whether an attempt took so long that the time may become short. */
  #isShort = false;
  /** Reasons of the latest failures. */
  readonly #failures = new SmallMap<Member, Reason>();
  /** Attempts so far. Those that only moved to another key of a target count as one. */
  #made = 0;

  constructor(call: SearchedCall<Member, Plan>, route: CandidateRoute<Member>, shared: SharedSearch) {
    this.#call = call;
    this.#route = route;
    this.#shared = shared;
    this.#draw = () => shared.draws.next();
    this.#pin = call.conversation && shared.affinity.find(call.conversation);
    for (const { members } of route.tiers) {
      for (const member of members) if (member.obstacle !== undefined) this.#rejected.set(member, member.obstacle);
    }
  }

  /** Waits until the next attempt may start. Undefined: there is none. Rejects when the call ends. */
  async next(): Promise<Next<Member, Plan> | undefined> {
    for (;;) {
      const choice = this.#choose();
      if (choice === undefined) return undefined;
      const { candidate, delayMs } = choice;
      if (delayMs > 0) await wait(delayMs, this.#shared.clock, this.#call.signal);
      else if (this.#plans.has(candidate) || (await this.#prepare(candidate))) {
        const next = this.#nextAt(choice);
        if (next !== undefined) return next;
      }
    }
  }

  /** Returns the candidate that the call would try now, if the earlier ones failed. Undefined: it tries none now. */
  async peek(): Promise<Next<Member, Plan> | undefined> {
    for (;;) {
      const choice = this.#choose();
      if (choice === undefined || choice.delayMs > 0) return undefined;
      const { candidate } = choice;
      if (!this.#plans.has(candidate) && !(await this.#prepare(candidate))) continue;
      this.#made++;
      this.#tried.set(candidate, {
        attempts: 0,
        keys: undefined,
        notBeforeMs: Number.POSITIVE_INFINITY,
        isLast: true,
        isForced: false,
      });
      return this.#nextAt(choice);
    }
  }

  planOf(candidate: Member): Plan | undefined {
    return this.#plans.get(candidate);
  }

  /** Says why a candidate is not used. */
  async explain(candidate: Member): Promise<string> {
    if (!this.#rejected.has(candidate) && !this.#plans.has(candidate)) await this.#prepare(candidate);
    const rejection = this.#rejected.get(candidate);
    if (rejection !== undefined) return rejection.message;
    const hindrance = hindranceOf(candidate);
    if (hindrance === undefined) return "no time or no attempt is left for it";
    return hindranceError(candidate, hindrance, this.#shared.clock.now()).message;
  }

  /** Returns an attempt beside one at another candidate. Undefined: there is none. */
  async hedge(other: Member): Promise<Next<Member, Plan> | undefined> {
    for (;;) {
      const candidate = this.#made < this.#route.rules.maxAttempts ? this.#fresh(other) : undefined;
      if (candidate === undefined) return undefined;
      if (this.#plans.has(candidate)) return this.#nextAt({ candidate, delayMs: 0, isForced: false });
      // Planning takes time, in which the candidate can be tried. So it is chosen anew.
      await this.#prepare(candidate);
    }
  }

  /** Number of other candidates that the call can still try. */
  further(candidate: Member): number {
    const left = this.#route.rules.maxAttempts - this.#made;
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
    if (isRetry && !candidate.state.retries.allows(this.#route.rules.retryBudget)) return false;
    if (isForced) return !isLimited(key);
    return unusedUntil(key) === undefined && candidate.state.breaker.isUsable;
  }

  /** An attempt starts. */
  begin({ candidate, isForced }: Next<Member, Plan>): void {
    const isWalk = candidate === this.#walk;
    this.#walk = undefined;
    let tried = this.#tried.get(candidate);
    if (tried === undefined) {
      tried = { attempts: 0, keys: undefined, notBeforeMs: 0, isLast: false, isForced: false };
      this.#tried.set(candidate, tried);
    }
    tried.isForced = isForced;
    if (isWalk) return;
    this.#made++;
    tried.attempts++;
    tried.keys = undefined;
  }

  /** An attempt has failed. `isSilent`: it sent no output in time. */
  fail({ candidate, key }: Next<Member, Plan>, failure: GatewayError, isSilent: boolean): void {
    const tried = this.#tried.get(candidate);
    if (tried === undefined) return;
    const { retryAfterMs } = failure.facts;
    this.#failures.set(candidate, failure.reason);
    switch (nextStep(failure)) {
      case "again":
        this.#isShort ||= isSilent;
        tried.isLast ||= isSilent || (retryAfterMs ?? 0) > 0;
        tried.notBeforeMs =
          failure.facts.retryHere === false ? Number.POSITIVE_INFINITY : this.#backoff(tried, retryAfterMs);
        break;
      case "key":
        tried.keys ??= new Set();
        tried.keys.add(key);
        // The wait for a limited key is that of the key.
        if (key.key !== undefined) tried.notBeforeMs = this.#shared.clock.now();
        else if (canAccept(failure.reason, tried.attempts)) tried.notBeforeMs = this.#backoff(tried, retryAfterMs);
        else tried.notBeforeMs = Number.POSITIVE_INFINITY;
        if (this.#hasFurtherKey(candidate)) this.#walk = candidate;
        break;
      case "larger":
        this.#rejectSmaller(candidate, failure);
        break;
      default:
        this.#rejected.set(candidate, failure);
    }
  }

  /** Returns the error of a call without any attempt: why its first candidate is not used. */
  obstacle(): GatewayError {
    const members = this.#route.tiers.flatMap((tier) => tier.members);
    const now = this.#shared.clock.now();
    const errors = members.map((member) => {
      const rejection = this.#rejected.get(member);
      const hindrance = rejection === undefined ? hindranceOf(member) : undefined;
      return rejection ?? (hindrance && hindranceError(member, hindrance, now));
    });
    const delays = errors.flatMap((error) => error?.facts.retryAfterMs ?? []);
    // A target that can be asked later says more to the caller than one that never can.
    const error = errors.find((found) => found?.facts.retryAfterMs !== undefined) ?? errors.find(Boolean);
    if (error === undefined) return new GatewayError("PROVIDER_UNAVAILABLE", "no target is left to call");
    return delays.length === 0 ? error : error.with({ retryAfterMs: Math.min(...delays) });
  }

  /** Says in one sentence why not the first candidate answers. Empty: it does, or it is in the same tier. */
  fellBackTo(winner: Member): string {
    const reasons: string[] = [];
    for (const { members } of this.#route.tiers) {
      const isTier = members.includes(winner);
      for (const member of members) {
        const failure = member === winner ? undefined : this.#failures.get(member);
        if (failure !== undefined) reasons.push(`${member.state.name} failed (${failure})`);
        else if (!isTier) reasons.push(`${member.state.name} ${this.#whyUnused(member)}`);
      }
      if (isTier) break;
    }
    return reasons.length === 0 ? "" : `${reasons.join(", ")}; ${winner.state.name} responds instead`;
  }

  #whyUnused(member: Member): string {
    const rejection = this.#rejected.get(member);
    if (rejection !== undefined) return `cannot serve the request (${rejection.reason})`;
    if (this.#tried.has(member)) return "was slower";
    const hindrance = hindranceOf(member);
    return hindrance === undefined ? "had no time left" : hindrances[hindrance.kind];
  }

  /** Prepares the request for a candidate. Returns false if the candidate cannot serve it. */
  async #prepare(candidate: Member): Promise<boolean> {
    try {
      this.#plans.set(candidate, await this.#call.plan(candidate));
      return true;
    } catch (error) {
      if (this.#call.signal.aborted) throw error;
      const rejection = toGatewayError(error);
      if (rejection.reason === "INTERNAL") throw error;
      this.#rejected.set(candidate, rejection);
      return false;
    } finally {
      this.#call.signal.throwIfAborted();
    }
  }

  #nextAt({ candidate, isForced }: Choice<Member>): Next<Member, Plan> | undefined {
    const plan = this.#plans.get(candidate);
    const tried = this.#tried.get(candidate);
    const isPinned = this.#pin?.target === candidate.state.name;
    const pinned = isPinned ? this.#pin?.key : undefined;
    const isWalk = candidate === this.#walk;
    const free = chooseKey(candidate, (isWalk && tried?.keys) || noKeys, pinned, this.#draw);
    const key = free ?? (isForced ? candidate.keys.find((forced) => !isLimited(forced)) : undefined);
    if (plan === undefined || key === undefined) return undefined;
    return { candidate, key, plan, isForced, isRetry: !isWalk && (tried?.attempts ?? 0) > 0 };
  }

  /** Chooses the next attempt, as if it started now. */
  #choose(): Choice<Member> | undefined {
    const { rules, tiers } = this.#route;
    const walk = this.#walk;
    if (walk !== undefined && this.#canWalk(walk) && this.#fits(walk, 0)) {
      return { candidate: walk, delayMs: 0, isForced: !walk.state.breaker.isUsable };
    }
    this.#walk = undefined;
    if (this.#made >= rules.maxAttempts) return undefined;
    const last = tiers.findLastIndex(({ members }) => members.some((member) => !this.#rejected.has(member)));
    for (const [index, { members, balance }] of tiers.entries()) {
      const usable = usableOf(members, index === last ? this.#shared.maxOpenShare : undefined);
      const fresh = usable.filter(
        (member) => !this.#rejected.has(member) && !this.#tried.has(member) && this.#fits(member, 0),
      );
      if (fresh.length > 0) {
        const candidate = chooseMember(fresh, balance, this.#pin?.target, this.#draw);
        return { candidate, delayMs: 0, isForced: hindranceOf(candidate) !== undefined };
      }
      const isLeft = this.#made + this.#freshTiersBelow(index) < rules.maxAttempts;
      const again = isLeft ? this.#soonest(usable, index) : undefined;
      if (again !== undefined) return again;
    }
    return this.#forced(tiers[last]?.members ?? []) ?? this.#limited() ?? this.#desperate();
  }

  /** Whether the next key of a candidate can be tried. Other calls and an attempt beside it can have changed this. */
  #canWalk(candidate: Member): boolean {
    if (this.#rejected.has(candidate) || !this.#hasFurtherKey(candidate)) return false;
    return candidate.state.breaker.isUsable || (this.#tried.get(candidate)?.isForced ?? false);
  }

  /** Whether a candidate has a key that may be used now and that the call has not tried in its present attempt. */
  #hasFurtherKey(candidate: Member): boolean {
    return chooseKey(candidate, this.#tried.get(candidate)?.keys ?? noKeys, undefined, () => 0) !== undefined;
  }

  /** Returns the first retry among candidates of a tier that the call has tried. */
  #soonest(usable: readonly Member[], tier: number): Choice<Member> | undefined {
    let best: Choice<Member> | undefined;
    for (const candidate of usable) {
      const delayMs = this.#retryDelay(candidate);
      if (delayMs === undefined || (best !== undefined && best.delayMs <= delayMs)) continue;
      const yields = this.#tried.get(candidate)?.isLast || (this.#isShort && delayMs > 0);
      if (yields && this.#freshTiersBelow(tier) > 0) continue;
      best = { candidate, delayMs, isForced: hindranceOf(candidate) !== undefined };
    }
    return best;
  }

  /** Returns after how many ms a candidate may be tried once more. Undefined: never. */
  #retryDelay(candidate: Member): number | undefined {
    const { maxPerTarget, retryBudget } = this.#route.rules;
    const tried = this.#tried.get(candidate);
    if (tried === undefined || tried.attempts >= maxPerTarget || this.#rejected.has(candidate)) return undefined;
    const delayMs = Math.max(0, tried.notBeforeMs - this.#shared.clock.now());
    if (!this.#fits(candidate, delayMs)) return undefined;
    return candidate.state.retries.allows(retryBudget) ? delayMs : undefined;
  }

  /** Returns a target that is open or whose keys were rejected, if the call has nothing better and has not tried it. */
  #forced(members: readonly Member[]): Choice<Member> | undefined {
    const [first] = members
      .filter((member) => !this.#rejected.has(member) && !this.#tried.has(member) && this.#fits(member, 0))
      .filter((member) => hindranceOf(member)?.kind !== "limit")
      .toSorted((a, b) => openUntil(a) - openUntil(b));
    return first && { candidate: first, delayMs: 0, isForced: true };
  }

  /** Returns the candidate whose provider accepts requests first, if that is soon enough to wait for. */
  #limited(): Choice<Member> | undefined {
    const now = this.#shared.clock.now();
    let best: Choice<Member> | undefined;
    for (const { members } of this.#route.tiers) {
      for (const candidate of members) {
        if (this.#rejected.has(candidate)) continue;
        const hindrance = hindranceOf(candidate);
        if (hindrance?.kind !== "limit" || hindrance.untilMs === undefined) continue;
        // Calls that wait for the same key do not all start at once.
        const delayMs = (hindrance.untilMs - now) * (1 + spread * this.#draw());
        if (this.#tried.has(candidate) && this.#retryDelay(candidate) === undefined) continue;
        if (delayMs > this.#route.rules.retryAfterUpToMs || !this.#fits(candidate, delayMs)) continue;
        if (best === undefined || delayMs < best.delayMs) best = { candidate, delayMs, isForced: false };
      }
    }
    return best;
  }

  /** Returns a target of any tier as `forced` does, if the call would otherwise fail without an attempt. */
  #desperate(): Choice<Member> | undefined {
    return this.#made > 0 ? undefined : this.#forced(this.#route.tiers.flatMap(({ members }) => members));
  }

  #fresh(other: Member): Member | undefined {
    for (const { members, balance } of this.#route.tiers) {
      const fresh = members.filter((member) => member !== other && this.#isFresh(member));
      if (fresh.length > 0) return chooseMember(fresh, balance, undefined, this.#draw);
    }
    return undefined;
  }

  #isFresh(member: Member): boolean {
    if (this.#tried.has(member) || this.#rejected.has(member)) return false;
    return hindranceOf(member) === undefined && this.#fits(member, 0);
  }

  /** Number of further tiers with a target that the call can still try. Retries leave an attempt for each of them. */
  #freshTiersBelow(tier: number): number {
    const further = this.#route.tiers.slice(tier + 1);
    return further.filter(({ members }) => members.some((member) => this.#isFresh(member))).length;
  }

  /** Whether an attempt that starts after a delay can have its first output before the deadline. */
  #fits({ state }: Member, delayMs: number): boolean {
    const leftMs = this.#call.leftMs() - delayMs;
    if (this.#made === 0) return leftMs > 0;
    return leftMs >= Math.max(shortestMs, state.streamed.usual ?? 0);
  }

  /** Returns when the next attempt at a candidate may start: with full jitter, and as late as the provider requests. */
  #backoff({ attempts }: Tried, retryAfterMs = 0): number {
    const { backoff, retryAfterUpToMs } = this.#route.rules;
    if (retryAfterMs > retryAfterUpToMs) return Number.POSITIVE_INFINITY;
    const longestMs = Math.min(backoff.maxMs, backoff.initialMs * 2 ** (attempts - 1));
    return this.#shared.clock.now() + Math.max(retryAfterMs, this.#draw() * longestMs);
  }

  /** Rejects a candidate for which the prompt is too long, and those whose context windows are not larger. */
  #rejectSmaller(candidate: Member, failure: GatewayError): void {
    this.#rejected.set(candidate, failure);
    const window = candidate.windowTokens;
    for (const { members } of this.#route.tiers) {
      for (const member of members) {
        if (member.windowTokens <= window && !this.#rejected.has(member)) this.#rejected.set(member, failure);
      }
    }
  }
}
