import type { Affinity, Conversation } from "./affinity.ts";
import type { Candidate } from "./candidate.ts";
import type { Clock } from "./clock.ts";
import type { Draws } from "./draws.ts";
import type { TargetKey } from "./keys.ts";

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
