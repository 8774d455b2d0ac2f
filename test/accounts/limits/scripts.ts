import fc from "fast-check";
import type { Claim } from "../../../src/accounts/limits/limit-store.ts";

/** A step of a script. `ref` selects one of the calls in progress. */
export type Step =
  | { readonly kind: "wait"; readonly us: number }
  | { readonly kind: "reserve"; readonly picks: readonly Pick[] }
  | { readonly kind: "settle"; readonly ref: number; readonly used: readonly number[]; readonly twice: boolean };

interface Pick {
  readonly claim: number;
  readonly hold: number;
  readonly flexible: boolean;
}

/** A script: limits that calls share, and what happens. */
export interface Script {
  readonly limits: readonly Omit<Claim, "hold">[];
  readonly steps: readonly Step[];
}

const endMs = Date.UTC(2100, 0, 1);

/** Small limits meet their bounds often; odd ones leave remainders; large ones need all bits. */
const limit = fc.oneof(fc.nat(5), fc.integer({ min: 1, max: 200 }), fc.constantFrom(60_000_001, 999_999_999_989, 7));

const limits = fc
  .array(fc.record({ kind: fc.constantFrom("requests", "tokens", "calls", "budget"), limit, shadow: fc.boolean() }), {
    minLength: 1,
    maxLength: 5,
  })
  .map((list) =>
    list.map(
      ({ kind, limit: amount, shadow }, index): Omit<Claim, "hold"> => ({
        ...{ holder: `account:${index}`, kind, limit: amount, shadow: shadow && index % 3 === 2 },
        ...(kind === "budget" && { period: { name: "0:2026-11", endMs } }),
      }),
    ),
  );

const share = fc.double({ min: 0, max: 1.2, noNaN: true });

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant("wait" as const),
    us: fc.oneof(fc.nat(1000), fc.nat(2_000_000), fc.integer({ min: 0, max: 200_000_000 })),
  }),
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("reserve" as const),
      picks: fc.array(fc.record({ claim: fc.nat(4), hold: share.map(Number), flexible: fc.boolean() }), {
        minLength: 1,
        maxLength: 4,
      }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("settle" as const),
      ref: fc.nat(20),
      used: fc.array(fc.oneof(fc.nat(300), fc.constant(0)), { minLength: 4, maxLength: 4 }),
      twice: fc.boolean(),
    }),
  },
);

export const script: fc.Arbitrary<Script> = fc.record({
  limits,
  steps: fc.array(step, { minLength: 1, maxLength: 40 }),
});

/** Returns the claims of a reservation: each limit at most once. */
export function claimsOf(all: Script["limits"], picks: readonly Pick[]): readonly Claim[] {
  const claims = new Map<number, Claim>();
  for (const { claim: index, hold, flexible } of picks) {
    const base = all[index % all.length];
    if (base === undefined) continue;
    const isCount = base.kind === "requests" || base.kind === "calls";
    const amount = Math.floor(hold * Math.min(base.limit, 1e12));
    claims.set(index % all.length, {
      ...base,
      hold: isCount ? 1 : base.kind === "tokens" ? Math.min(amount, base.limit) : amount,
      ...(base.kind === "budget" && { flexible }),
    });
  }
  return [...claims.values()];
}

/** Returns what a call uses: requests and calls use what they hold. */
export function usedOf(claims: readonly Claim[], used: readonly number[]): readonly number[] {
  return claims.map(({ kind, hold }, index) =>
    kind === "requests" || kind === "calls" ? hold : (used[index % used.length] ?? 0),
  );
}
