import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Balance, defaultBreaker } from "../../src/config/route.ts";
import { AttemptSchema } from "../../src/gen/dragoman/v1/attempt_pb.js";
import { type Choosable, choose } from "../../src/routing/balance.ts";
import { type Candidate, usableOf } from "../../src/routing/candidate.ts";
import { Draws } from "../../src/routing/draws.ts";
import { KeyUse } from "../../src/routing/keys.ts";
import { TargetState } from "../../src/routing/target-state.ts";
import { VirtualClock } from "./law/virtual-clock.ts";

const clock = new VirtualClock();

function stateOf(name: string): TargetState {
  return new TargetState(name, {
    clock,
    breaker: defaultBreaker,
    random: () => 0,
    onChange: () => {},
    useOf: () => new KeyUse(clock),
  });
}

function targetOf(name: string, weight = 1, cost?: number): Choosable & { readonly name: string } {
  return { name, state: stateOf(name), weight, cost };
}

/** Returns how often each target is chosen. */
function count<Target extends Choosable>(targets: readonly Target[], balance: Balance, draws: number, seed = 7) {
  const random = new Draws(seed);
  const counts = new Map<Target, number>(targets.map((target) => [target, 0]));
  for (let draw = 0; draw < draws; draw++) {
    const chosen = choose(targets, balance, () => random.next());
    counts.set(chosen, (counts.get(chosen) ?? 0) + 1);
  }
  return [...counts.values()];
}

/** Adds an attempt in progress. Returns the function that ends it. */
function busy({ state }: Choosable): () => void {
  const attempt = create(AttemptSchema);
  state.attemptBegins(attempt, { waitsFor: undefined });
  return () => state.attemptEnds(attempt);
}

/** Opens and closes the breaker of a target, so that its ramp begins. */
function recover({ state: { breaker } }: Choosable): void {
  for (let failure = 0; failure < 5; failure++) breaker.fail(breaker.begin());
  clock.pass(5_000);
  breaker.succeed(breaker.begin());
}

describe("the choice of a target", () => {
  test("follows the weights", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 2, maxLength: 5 }),
        fc.nat(),
        (weights, seed) => {
          const targets = weights.map((weight, index) => targetOf(`t${index}`, weight));
          const total = weights.reduce((sum, weight) => sum + weight);
          const draws = 4_000;
          let chi = 0;
          for (const [index, times] of count(targets, "weighted", draws, seed).entries()) {
            const expected = (draws * (weights[index] ?? 0)) / total;
            chi += (times - expected) ** 2 / expected;
          }
          // With 4 degrees of freedom, one of ten million draws exceeds this.
          expect(chi).toBeLessThan(38);
        },
      ),
      { numRuns: 50 },
    );
  });

  test("gives a tenth of its weight to a target that just works again, and then more", () => {
    const [steady, back] = [targetOf("steady"), targetOf("back")];
    recover(back);
    const shares: number[] = [];
    for (const passMs of [0, 15_000, 15_000]) {
      clock.pass(passMs);
      const [, times = 0] = count([steady, back], "weighted", 20_000);
      shares.push(times / 20_000);
    }
    expect(shares[0]).toBeCloseTo(0.1 / 1.1, 1);
    expect(shares[1]).toBeCloseTo(0.55 / 1.55, 1);
    expect(shares[2]).toBeCloseTo(0.5, 1);
  });

  test("lets a target that just works again take part in a tenth of the choices by latency, also of only two", () => {
    const [steady, back] = [targetOf("steady"), targetOf("back")];
    recover(back);
    steady.state.streamed.observe(500);
    back.state.streamed.observe(5);
    const shares: number[] = [];
    for (const passMs of [0, 15_000, 15_000]) {
      clock.pass(passMs);
      const [, times = 0] = count([steady, back], "latency", 20_000);
      shares.push(times / 20_000);
    }
    expect(shares[0]).toBeCloseTo(0.1, 1);
    expect(shares[1]).toBeCloseTo(0.55, 1);
    expect(shares[2]).toBe(1);
  });

  test("gives all calls to the only target, whatever its ramp is", () => {
    const back = targetOf("back");
    recover(back);
    expect(count([back], "weighted", 100)).toEqual([100]);
  });

  test("takes the first target by order and the cheapest one by cost, an unknown price last", () => {
    const targets = [targetOf("unknown"), targetOf("dear", 1, 5), targetOf("cheap", 1, 2), targetOf("equal", 1, 2)];
    expect(count(targets, "order", 10)).toEqual([10, 0, 0, 0]);
    expect(count(targets, "cost", 10)).toEqual([0, 0, 10, 0]);
  });

  test("takes the one of two targets with the shorter expected time to first output", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5_000 }),
        fc.integer({ min: 1, max: 5_000 }),
        fc.nat(5),
        fc.nat(5),
        (a, b, m, n) => {
          const [one, other] = [targetOf("one"), targetOf("other")];
          one.state.streamed.observe(a);
          other.state.streamed.observe(b);
          for (let more = 0; more < m; more++) busy(one);
          for (let more = 0; more < n; more++) busy(other);
          const [loadOfOne, loadOfOther] = [a * (m + 1), b * (n + 1)];
          fc.pre(loadOfOne !== loadOfOther);
          expect(count([one, other], "latency", 20)).toEqual(loadOfOne < loadOfOther ? [20, 0] : [0, 20]);
        },
      ),
    );
  });

  test("takes a target without samples for as fast as the median of the others", () => {
    const targets = [100, 200, 300].map((ms, index) => {
      const target = targetOf(`t${index}`);
      target.state.streamed.observe(ms);
      return target;
    });
    const fresh = targetOf("fresh");
    const counts = count([...targets, fresh], "latency", 10_000);
    // It wins against the slowest, loses against the fastest, and shares with the median: about as often as that one.
    expect(counts[2]).toBe(0);
    expect(counts[3]).toBeGreaterThan(1_500);
    expect(counts[3]).toBeLessThan(3_500);
  });

  test("tries a slow target again after a while, one call at a time", () => {
    const [fast, slow] = [targetOf("fast"), targetOf("slow")];
    slow.state.streamed.observe(10_000);
    fast.state.streamed.observe(100);
    busy(fast);
    expect(count([fast, slow], "latency", 10)).toEqual([10, 0]);
    clock.pass(60_000);
    fast.state.streamed.observe(100);
    expect(count([fast, slow], "latency", 10)).toEqual([0, 10]);
    const end = busy(slow);
    expect(count([fast, slow], "latency", 10)).toEqual([10, 0]);
    end();
    slow.state.streamed.observe(10_000);
    expect(count([fast, slow], "latency", 10)).toEqual([10, 0]);
  });
});

describe("the usable targets of a tier", () => {
  const open = (name: string, forFailures = 5): Candidate => {
    const member = closed(name);
    for (let failure = 0; failure < forFailures; failure++) member.state.breaker.fail(member.state.breaker.begin());
    return member;
  };
  const closed = (name: string): Candidate => {
    const { state, weight, cost } = targetOf(name);
    return { state, weight, cost, keys: state.keysFor([]), windowTokens: 0, obstacle: undefined };
  };

  test("are those whose breakers are closed", () => {
    const [one, other] = [closed("one"), open("other")];
    expect(usableOf([one, other], undefined)).toEqual([one]);
    expect(usableOf([other], undefined)).toEqual([]);
  });

  test("have in a last tier at most a share of open ones left out, those that are open for longest", () => {
    const members = [open("a"), open("b"), open("c"), closed("d")];
    clock.pass(1);
    const latest = open("e");
    const all = [latest, ...members];
    expect(usableOf(all, undefined)).toEqual([members[3]]);
    // Two of five may be open.
    expect(usableOf(all, 0.5)).toHaveLength(3);
    expect(usableOf(all, 0.5)).not.toContain(latest);
    expect(usableOf(all, 1)).toEqual([members[3]]);
    // One may always be.
    expect(usableOf(all, 0)).toHaveLength(4);
  });
});

test.each([
  "weighted",
  "latency",
  "cost",
  "order",
] as const)("%s chooses no target with the weight 0, unless no other is left", (balance) => {
  const drained = [targetOf("cheap", 0, 1), targetOf("idle", 0, 1)];
  const busyOne = targetOf("busy", 1, 100);
  busyOne.state.streamed.observe(5_000);
  busy(busyOne);
  for (const { state } of drained) state.streamed.observe(1);
  expect(count([...drained, busyOne], balance, 100)).toEqual([0, 0, 100]);
  expect(count(drained, balance, 100).reduce((sum, chosen) => sum + chosen)).toBe(100);
});
