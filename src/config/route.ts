import type { ModelCapabilities } from "../gen/dragoman/v1/model_pb.js";
import type { ProfileName } from "../profiles/profiles.ts";

/**
 * How calls are spread over the targets of a tier.
 *
 * - weighted: at random, in proportion to the weights
 * - latency: of two targets at random, the one with the shorter expected time to first output
 * - cost: the target with the lowest price
 * - order: the first usable target of the list
 */
export type Balance = "weighted" | "latency" | "cost" | "order";

/** A target of a route. */
export interface RouteTarget {
  /** Name of a model in the catalog: an id, an alias, `deployments/<id>` or `provider/model`. */
  readonly model: string;
  /** Share of the calls among the targets of the tier. Default 1. */
  readonly weight: number;
}

/** Targets of equal rank. */
export interface Tier {
  readonly targets: readonly RouteTarget[];
  readonly balance: Balance;
}

/** Rules for the attempts of one call. Times are in ms. */
export interface AttemptRules {
  /** Maximum attempts of a call. Moving to another key of the same target counts only when no key is left. */
  readonly maxAttempts: number;
  /** Maximum attempts of a call at one target. */
  readonly maxPerTarget: number;
  readonly backoff: { readonly initialMs: number; readonly maxMs: number };
  /** Longest wait that a provider requests (Retry-After) for which a call waits. */
  readonly retryAfterUpToMs: number;
  /** Share of a target's attempts in 10 s that may be retries at the same target, from 0 to 1. */
  readonly retryBudget: number;
  readonly timeouts: {
    /** Longest wait for the first output of an attempt. 0: none. */
    readonly firstOutputMs: number;
    /** Longest wait between two outputs. 0: none. */
    readonly idleMs: number;
    /** Longest duration of an attempt until its commit point. 0: none. */
    readonly attemptMs: number;
  };
  /** Undefined: no hedging. */
  readonly hedge:
    | {
        /** Wait for the first output before the hedge: in ms, or `p95` of the target's first outputs. */
        readonly after: number | "p95";
        /** Share of calls that may be hedged, from 0 to 1. */
        readonly budget: number;
      }
    | undefined;
  /** Whether a conversation stays at the target that has its prompt cached. */
  readonly affinity: boolean;
}

/** Capability that a target must have, by its field name in ModelCapabilities: `tools`, `imageInput`. */
export type RequiredCapability = Exclude<keyof ModelCapabilities, "$typeName" | "$unknown">;

/** A route: a name that callers can request, and the targets that serve it. */
export interface RouteSettings extends AttemptRules {
  readonly id: string;
  readonly tiers: readonly Tier[];
  readonly require: readonly RequiredCapability[];
  /** Undefined: the route has no profile. */
  readonly profile: ProfileName | undefined;
}

/** When Dragoman stops sending calls to a failing target, and when it tries again. Times are in ms. */
export interface BreakerSettings {
  /** Time over which failures are counted. Default 30,000. */
  readonly windowMs: number;
  /** Calls in the window from which the ratio counts. Default 10. */
  readonly minCalls: number;
  /** Share of failed calls that opens the breaker. Default 0.5. */
  readonly failureRatio: number;
  /** Failures in a row that open the breaker. Default 5. */
  readonly consecutive: number;
  /** Time for which a breaker opens first; it grows by as much each time in a row. Default 5000. */
  readonly openMs: number;
  /** Longest time for which a breaker opens. Default 60,000. */
  readonly openMaxMs: number;
  /** Time in which a target that works again gets back its whole share of calls. Default 30,000. */
  readonly rampMs: number;
  /** Share of the targets of a route's last tier that may be open. One always may. Default 0.5. */
  readonly maxOpenShare: number;
}

/** Rules of a model that is called by its own name: a route with one target. */
export const plainRules: AttemptRules = {
  maxAttempts: 3,
  maxPerTarget: 3,
  backoff: { initialMs: 100, maxMs: 2_000 },
  retryAfterUpToMs: 5_000,
  retryBudget: 0.2,
  timeouts: { firstOutputMs: 0, idleMs: 0, attemptMs: 0 },
  hedge: undefined,
  affinity: true,
};

export const defaultBreaker: BreakerSettings = {
  windowMs: 30_000,
  minCalls: 10,
  failureRatio: 0.5,
  consecutive: 5,
  openMs: 5_000,
  openMaxMs: 60_000,
  rampMs: 30_000,
  maxOpenShare: 0.5,
};
