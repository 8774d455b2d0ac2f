import { GatewayError } from "../errors.ts";
import type { CallHistory } from "./call-history.ts";
import { type Candidate, type CandidateRoute, type Hindrance, hindranceError, hindranceOf } from "./candidate.ts";

const hindrances = {
  breaker: "failed too often before",
  keys: "rejected all keys before",
  limit: "limits the rate of all keys",
} as const satisfies Record<Hindrance["kind"], string>;

/** Returns the error of a call without any attempt: why its first candidate is not used. */
export function obstacleOf<Member extends Candidate>(
  { tiers }: CandidateRoute<Member>,
  { rejected }: CallHistory<Member, unknown>,
  now: number,
): GatewayError {
  const errors = tiers
    .flatMap(({ members }) => members)
    .map((member) => {
      const rejection = rejected.get(member);
      const hindrance = rejection === undefined ? hindranceOf(member) : undefined;
      return rejection ?? (hindrance && hindranceError(member, hindrance, now));
    });
  const delays = errors.flatMap((error) => error?.facts.retryAfterMs ?? []);
  // A target that can be asked later says more to the caller than one that never can.
  const error = errors.find((found) => found?.facts.retryAfterMs !== undefined) ?? errors.find(Boolean);
  if (error === undefined) return new GatewayError("PROVIDER_UNAVAILABLE", "no target is left to call");
  return delays.length === 0 ? error : error.with({ retryAfterMs: Math.min(...delays) });
}

/** Says in one sentence why not the first candidate responds. Empty: it does, or it is in the same tier. */
export function fallbackReason<Member extends Candidate>(
  winner: Member,
  { tiers }: CandidateRoute<Member>,
  history: CallHistory<Member, unknown>,
): string {
  const reasons: string[] = [];
  for (const { members } of tiers) {
    const isTier = members.includes(winner);
    for (const member of members) {
      const failure = member === winner ? undefined : history.failures.get(member);
      if (failure !== undefined) reasons.push(`${member.state.name} failed (${failure})`);
      else if (!isTier) reasons.push(`${member.state.name} ${whyUnused(member, history)}`);
    }
    if (isTier) break;
  }
  return reasons.length === 0 ? "" : `${reasons.join(", ")}; ${winner.state.name} responds instead`;
}

function whyUnused<Member extends Candidate>(
  member: Member,
  { rejected, tried }: CallHistory<Member, unknown>,
): string {
  const rejection = rejected.get(member);
  if (rejection !== undefined) return `cannot serve the request (${rejection.reason})`;
  if (tried.has(member)) return "was slower";
  const hindrance = hindranceOf(member);
  return hindrance === undefined ? "had no time left" : hindrances[hindrance.kind];
}

/** Says why a call would not use a candidate. Prepares the request for it. */
export async function explainUnused<Member extends Candidate>(
  candidate: Member,
  history: CallHistory<Member, unknown>,
  now: number,
): Promise<string> {
  const { rejected, plans } = history;
  if (!rejected.has(candidate) && !plans.has(candidate)) await history.prepare(candidate);
  const rejection = rejected.get(candidate);
  if (rejection !== undefined) return rejection.message;
  const hindrance = hindranceOf(candidate);
  if (hindrance === undefined) return "no time or no attempt is left for it";
  return hindranceError(candidate, hindrance, now).message;
}
