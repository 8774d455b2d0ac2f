import type { AttemptRules, Balance } from "../config/route.ts";
import { GatewayError } from "../errors.ts";
import { type Choosable, choose } from "./balance.ts";
import { drawWeighted } from "./draws.ts";
import { type TargetKey, unusedUntil } from "./keys.ts";

/** A target that a call may use. */
export interface Candidate extends Choosable {
  /** At least one; its name is empty if the provider needs none. */
  readonly keys: readonly TargetKey[];
  /** Context window in tokens. 0: unknown. */
  readonly windowTokens: number;
  /** Why this call cannot use the target, whatever its health is. Undefined: it can. */
  readonly obstacle: GatewayError | undefined;
}

/** Candidates of equal rank. */
export interface CandidateTier<Member extends Candidate> {
  readonly balance: Balance;
  readonly members: readonly Member[];
}

/** Candidates of a call by rank, the first ones first, and the rules for its attempts. */
export interface CandidateRoute<Member extends Candidate> {
  /** Id of the route. Empty: the call names a model. */
  readonly id: string;
  readonly tiers: readonly CandidateTier<Member>[];
  readonly rules: AttemptRules;
}

/** Reason why a candidate is not used now. */
export interface Hindrance {
  /** breaker: the target fails too often. keys: the provider rejected all keys. limit: it limits all of them. */
  readonly kind: "breaker" | "keys" | "limit";
  /** Until when, on the clock. Undefined: until a call that runs now has ended. */
  readonly untilMs: number | undefined;
}

/** Returns why a candidate is not used now, beside candidates without a hindrance. */
export function hindranceOf({ state, keys }: Candidate): Hindrance | undefined {
  const { breaker } = state;
  const usable = keys.some((key) => unusedUntil(key) === undefined);
  if (!usable) {
    const limits = keys.flatMap(({ here }) => here.limitedUntilMs ?? []);
    if (limits.length > 0) return { kind: "limit", untilMs: Math.min(...limits) };
    return { kind: "keys", untilMs: Math.min(...keys.map((key) => unusedUntil(key) ?? 0)) };
  }
  return breaker.isUsable ? undefined : { kind: "breaker", untilMs: breaker.openUntilMs };
}

/**
 * Returns the members of a tier that a call may use now. In the last tier at most a share of the members is left out
 * because their breakers are open: those that stay open the longest.
 *
 * @param maxOpenShare share of a last tier; one member may always be open. Undefined: the tier is not the last one.
 */
export function usableOf<Member extends Candidate>(
  members: readonly Member[],
  maxOpenShare: number | undefined,
): readonly Member[] {
  const [only] = members;
  // The usual case costs no list.
  if (members.length === 1 && only !== undefined) return hindranceOf(only) === undefined ? members : [];
  const hindered = members.filter((member) => hindranceOf(member) !== undefined);
  if (hindered.length === 0) return members;
  const free = members.filter((member) => !hindered.includes(member));
  if (maxOpenShare === undefined) return free;
  const open = hindered.filter((member) => hindranceOf(member)?.kind === "breaker");
  const mostOpen = Math.max(1, Math.floor(maxOpenShare * members.length));
  if (open.length <= mostOpen) return free;
  const byTime = open.toSorted((a, b) => openUntil(a) - openUntil(b));
  const asked = byTime.slice(0, open.length - mostOpen);
  return members.filter((member) => free.includes(member) || asked.includes(member));
}

export function openUntil({ state }: Candidate): number {
  return state.breaker.openUntilMs ?? 0;
}

/**
 * Chooses a key among those that may be used now. Undefined: there is none.
 *
 * @param tried keys that are left out
 * @param pinned name of the key that has the prompt cached. Undefined: any.
 */
export function chooseKey(
  { keys }: Candidate,
  tried: ReadonlySet<TargetKey>,
  pinned: string | undefined,
  draw: () => number,
): TargetKey | undefined {
  const [only] = keys;
  // The usual case costs no list.
  if (keys.length === 1 && only !== undefined) {
    return tried.has(only) || unusedUntil(only) !== undefined ? undefined : only;
  }
  const free = keys.filter((key) => !tried.has(key) && unusedUntil(key) === undefined);
  const known = pinned === undefined ? undefined : free.find(({ name }) => name === pinned);
  if (known !== undefined || free.length <= 1) return known ?? free[0];
  return drawWeighted(free, ({ key }) => key?.weight ?? 1, draw);
}

/** Chooses a member of a tier: the pinned target if it is usable, else by the balance of the tier. */
export function chooseMember<Member extends Candidate>(
  usable: readonly Member[],
  balance: Balance,
  pinned: string | undefined,
  draw: () => number,
): Member {
  const known = pinned === undefined ? undefined : usable.find(({ state }) => state.name === pinned);
  return known ?? choose(usable, balance, draw);
}

/** Describes a hindrance in one sentence, as the error of a call that has no other candidate. */
export function hindranceError({ state }: Candidate, { kind, untilMs }: Hindrance, now: number): GatewayError {
  const { name } = state;
  const provider = name.split("/", 1)[0] ?? "";
  const forMs = untilMs === undefined ? undefined : Math.max(0, untilMs - now);
  const time = forMs === undefined ? "" : ` for ${Math.ceil(forMs / 100) / 10} s`;
  const facts = { metadata: { provider, target: name }, ...(forMs !== undefined && { retryAfterMs: forMs }) };
  switch (kind) {
    case "limit":
      return new GatewayError(
        "PROVIDER_RATE_LIMITED",
        `${provider} limits the rate of ${name}${time}: try later`,
        facts,
      );
    case "keys":
      return new GatewayError("PROVIDER_CREDENTIALS_REJECTED", `${provider} rejects every key for ${name}`, {
        metadata: facts.metadata,
      });
    case "breaker":
      return new GatewayError("PROVIDER_UNAVAILABLE", `${name} failed too often and is not called${time}`, facts);
    default:
      return kind satisfies never;
  }
}
