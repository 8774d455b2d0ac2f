import fc from "fast-check";
import type { AttemptRules, Balance, BreakerSettings } from "../../../src/config/route.ts";
import { defaultBreaker } from "../../../src/config/route.ts";
import type { Reason } from "../../../src/errors.ts";

/** What a provider does with one attempt. Times are in ms after the earlier step. */
export interface Behavior {
  /** Time in Dragoman's own queue. */
  readonly queueMs: number;
  /** Time to the first output. Infinity: it never comes. */
  readonly firstMs: number;
  /** Times between the further batches. Infinity: the response stalls. */
  readonly gapsMs: readonly number[];
  readonly end: Ending;
}

/** Whether the response is complete, or fails before its first output, or after some of its batches. */
export type Ending =
  | { readonly kind: "complete" }
  | {
      readonly kind: "fail";
      readonly when: "before" | "after";
      readonly reason: Reason | "thrown";
      readonly retryAfterMs: number | undefined;
      readonly retryHere: boolean;
      readonly isInterruption: boolean;
    };

export interface ScriptedTarget {
  /** Number of keys. 0: the provider needs none. */
  readonly keys: number;
  /** Provider whose keys it has: targets of the same provider share them. */
  readonly provider: number;
  readonly windowTokens: number;
  readonly cost: number | undefined;
  readonly weight: number;
  /** What it does with its attempts in turn, again and again. */
  readonly behaviors: readonly Behavior[];
}

export interface ScriptedRoute {
  readonly tiers: readonly { readonly balance: Balance; readonly targets: readonly number[] }[];
  readonly rules: AttemptRules;
}

export interface ScriptedCall {
  readonly startMs: number;
  readonly route: number;
  /** After its start. */
  readonly deadlineMs: number;
  /** After its start. Undefined: the caller does not cancel. */
  readonly cancelMs: number | undefined;
  readonly whole: boolean;
  readonly canHedge: boolean;
  readonly conversation: number | undefined;
  /** Targets that cannot serve the request: `plan` throws for them. */
  readonly unplannable: readonly number[];
  /** Targets that the call cannot use anyway. */
  readonly obstacles: readonly number[];
  /** Whether PlanChat is asked first. */
  readonly looksFirst: boolean;
  /** Time that planning takes for each target. */
  readonly planMs: number;
}

/** A script for the whole of routing. */
export interface Script {
  readonly seed: number;
  readonly startMs: number;
  readonly merges: boolean;
  readonly breaker: BreakerSettings;
  readonly targets: readonly ScriptedTarget[];
  readonly routes: readonly ScriptedRoute[];
  readonly calls: readonly ScriptedCall[];
}

const never = Number.POSITIVE_INFINITY;

/** Short times are often equal, so that things happen at once. */
const shortMs = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(0, 1, 10, 49, 50, 51, 100, 500, 1_000) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 200 }) },
  { weight: 1, arbitrary: fc.integer({ min: 200, max: 20_000 }) },
);

const reason = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom<Reason>("PROVIDER_UNAVAILABLE", "PROVIDER_TIMEOUT", "PROVIDER_STREAM_INTERRUPTED"),
  },
  {
    weight: 5,
    arbitrary: fc.constantFrom<Reason>(
      "PROVIDER_RATE_LIMITED",
      "PROVIDER_RATE_LIMITED",
      "PROVIDER_CREDENTIALS_REJECTED",
      "PROVIDER_QUOTA_EXHAUSTED",
      "PROVIDER_PERMISSION_DENIED",
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom<Reason | "thrown">(
      "QUEUE_FULL",
      "PROVIDER_FAULT",
      "CONTEXT_LENGTH_EXCEEDED",
      "INVALID_REQUEST",
      "thrown",
    ),
  },
);

const retryAfterMs = fc.option(
  fc.constantFrom(0, 1, 100, 999, 1_000, 3_000, 5_000, 5_001, 20_000, 90_000, 100_000_000),
  {
    nil: undefined,
  },
);

export const failing: fc.Arbitrary<Behavior> = fc.record({
  queueMs: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, shortMs),
  firstMs: shortMs,
  gapsMs: fc.array(shortMs, { maxLength: 2 }),
  end: fc.record({
    kind: fc.constant("fail" as const),
    when: fc.constantFrom("before" as const, "before" as const, "before" as const, "after" as const),
    reason,
    retryAfterMs,
    retryHere: fc.constantFrom(true, true, true, false),
    isInterruption: fc.boolean(),
  }),
});

export const answering: fc.Arbitrary<Behavior> = fc.record({
  queueMs: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, shortMs),
  firstMs: shortMs,
  gapsMs: fc.array(shortMs, { maxLength: 3 }),
  end: fc.constant({ kind: "complete" as const }),
});

export const stalling: fc.Arbitrary<Behavior> = fc
  .record({ queueMs: fc.constantFrom(0, 0, 0, 100, never), firstMs: fc.constantFrom(never, never, 10, 1_000) })
  .map(({ queueMs, firstMs }) => ({ queueMs, firstMs, gapsMs: [never], end: { kind: "complete" } }));

const behavior = fc.oneof(
  { weight: 5, arbitrary: failing },
  { weight: 6, arbitrary: answering },
  { weight: 2, arbitrary: stalling },
);

export const target = (providers: number): fc.Arbitrary<ScriptedTarget> =>
  fc.record({
    keys: fc.nat(3),
    provider: fc.nat(providers - 1),
    windowTokens: fc.constantFrom(0, 1_000, 100_000),
    cost: fc.constantFrom(undefined, 1, 2),
    weight: fc.constantFrom(1, 1, 3),
    behaviors: fc.array(behavior, { minLength: 1, maxLength: 5 }),
  });

export const rules: fc.Arbitrary<AttemptRules> = fc.record({
  maxAttempts: fc.constantFrom(4, 1, 2, 3, 4, 8),
  maxPerTarget: fc.constantFrom(1, 2, 3),
  backoff: fc.constantFrom({ initialMs: 100, maxMs: 2_000 }, { initialMs: 0, maxMs: 0 }, { initialMs: 1, maxMs: 3 }),
  retryAfterUpToMs: fc.constantFrom(0, 1_000, 5_000),
  retryBudget: fc.constantFrom(0, 0.2, 1),
  timeouts: fc.record({
    firstOutputMs: fc.constantFrom(0, 0, 60, 500, 10_000),
    idleMs: fc.constant(0),
    attemptMs: fc.constantFrom(0, 0, 0, 100, 5_000),
  }),
  hedge: fc.option(
    fc.record({
      after: fc.constantFrom<number | "p95">(0, 1, 20, 100, 1_000, "p95"),
      budget: fc.constantFrom(0.02, 0.5, 1, 1),
    }),
    { nil: undefined },
  ),
  affinity: fc.boolean(),
});

export const route = (targets: number): fc.Arbitrary<ScriptedRoute> =>
  fc
    .record({
      order: fc.shuffledSubarray([...Array(targets).keys()], { minLength: 1 }),
      cuts: fc.array(fc.constantFrom(1, 1, 2, 3, 4), { minLength: 4, maxLength: 4 }),
      balances: fc.array(fc.constantFrom<Balance>("weighted", "latency", "cost", "order"), {
        minLength: 4,
        maxLength: 4,
      }),
      rules,
    })
    .map(({ order, cuts, balances, rules }) => {
      const tiers: ScriptedRoute["tiers"][number][] = [];
      let from = 0;
      for (const [index, size] of cuts.entries()) {
        const targets = order.slice(from, from + size);
        from += size;
        if (targets.length > 0) tiers.push({ balance: balances[index] ?? "order", targets });
      }
      return { tiers, rules };
    });

const subset = (targets: number) =>
  fc.oneof({ weight: 8, arbitrary: fc.constant([]) }, fc.subarray([...Array(targets).keys()]));

export const call = (targets: number, routes: number): fc.Arbitrary<ScriptedCall> =>
  fc.record({
    startMs: fc.oneof(
      fc.constantFrom(0, 0, 10, 1_000, 6_000, 61_000),
      fc.integer({ min: 0, max: 2_000 }),
      fc.integer({ min: 0, max: 100_000 }),
    ),
    route: fc.nat(routes - 1),
    deadlineMs: fc.oneof(
      { weight: 2, arbitrary: fc.noBias(fc.integer({ min: 1, max: 300 })) },
      { weight: 4, arbitrary: fc.noBias(fc.integer({ min: 300, max: 10_000 })) },
      { weight: 3, arbitrary: fc.constantFrom(1, 50, 100, 1_000, 60_000, 300_000) },
    ),
    cancelMs: fc.oneof(
      { weight: 8, arbitrary: fc.constant(undefined) },
      { weight: 1, arbitrary: fc.constantFrom(0, 1, 10, 50, 60, 100, 1_000) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 3_000 }) },
    ),
    whole: fc.boolean(),
    canHedge: fc.constantFrom(true, true, true, false),
    conversation: fc.option(fc.nat(1), { nil: undefined }),
    unplannable: subset(targets),
    obstacles: subset(targets),
    looksFirst: fc.boolean(),
    planMs: fc.constantFrom(0, 0, 0, 0, 0, 1, 100),
  });

export const breaker: fc.Arbitrary<BreakerSettings> = fc.oneof(
  fc.constant(defaultBreaker),
  fc.record({
    windowMs: fc.constantFrom(1_000, 30_000),
    minCalls: fc.constantFrom(1, 2, 10),
    failureRatio: fc.constantFrom(0.1, 0.5, 1),
    consecutive: fc.constantFrom(1, 2, 3, 5),
    openMs: fc.constantFrom(100, 5_000),
    openMaxMs: fc.constantFrom(5_000, 7_000),
    rampMs: fc.constantFrom(0, 1_000, 30_000),
    maxOpenShare: fc.constantFrom(0, 0.5, 1),
  }),
);
