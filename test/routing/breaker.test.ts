import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type BreakerSettings, defaultBreaker } from "../../src/config/route.ts";
import { Breaker, type Trial } from "../../src/routing/breaker.ts";
import type { TargetStateName } from "../../src/routing/target-view.ts";
import { VirtualClock } from "./law/virtual-clock.ts";

/** What the documentation says of a breaker, with all calls in one list. */
class Reference {
  readonly settings: BreakerSettings;
  state: TargetStateName = "closed";
  openUntilMs = 0;
  trials = new Set<object>();
  #calls: { readonly ms: number; readonly failed: boolean }[] = [];
  #inRow = 0;
  #opened = 0;
  #closedMs = Number.NEGATIVE_INFINITY;

  constructor(settings: BreakerSettings) {
    this.settings = settings;
  }

  passTo(now: number): void {
    if (this.state === "open" && this.openUntilMs <= now) this.#change("half_open");
  }

  end(how: "succeed" | "fail" | "drop", trial: object | undefined, now: number): void {
    const isTrial = trial !== undefined;
    if (isTrial) this.trials.delete(trial);
    if (how === "drop") return;
    this.#calls.push({ ms: now, failed: how === "fail" });
    if (how === "succeed") {
      this.#inRow = 0;
      if (!isTrial || this.state === "closed") return;
      this.#calls = [];
      this.#closedMs = now;
      this.#change("closed");
      return;
    }
    this.#inRow++;
    if (this.state === "open" || (this.state === "half_open" && !isTrial)) return;
    const { windowMs, minCalls, failureRatio, consecutive, openMs, openMaxMs, rampMs } = this.settings;
    const part = (ms: number) => Math.floor((ms * 10) / windowMs);
    const recent = this.#calls.filter(({ ms }) => part(ms) > part(now) - 10);
    const failures = recent.filter(({ failed }) => failed).length;
    const isBad = recent.length >= minCalls && failures >= failureRatio * recent.length;
    if (this.state === "closed" && this.#inRow < consecutive && !isBad) return;
    if (this.state === "closed" && now - this.#closedMs > rampMs) this.#opened = 0;
    this.#opened++;
    this.openUntilMs = now + Math.min(openMs * this.#opened, openMaxMs);
    this.#inRow = 0;
    this.#change("open");
  }

  rampAt(now: number): number {
    return Math.min(1, 0.1 + 0.9 * ((now - this.#closedMs) / Math.max(1, this.settings.rampMs)));
  }

  #change(to: TargetStateName): void {
    this.state = to;
    this.trials.clear();
  }
}

const settings: fc.Arbitrary<BreakerSettings> = fc.record({
  windowMs: fc.constantFrom(1_000, 30_000),
  minCalls: fc.constantFrom(1, 3, 10),
  failureRatio: fc.constantFrom(0.1, 0.5, 1),
  consecutive: fc.constantFrom(1, 2, 5, 100),
  openMs: fc.constantFrom(100, 5_000),
  openMaxMs: fc.constantFrom(300, 7_000, 60_000),
  rampMs: fc.constantFrom(0, 1_000, 30_000),
  maxOpenShare: fc.constant(0.5),
});

const action = fc.oneof(
  fc.record({ kind: fc.constant("pass" as const), ms: fc.constantFrom(0, 1, 99, 100, 101, 1_000, 5_000, 31_000) }),
  fc.record({ kind: fc.constant("begin" as const) }),
  fc.record({
    kind: fc.constant("end" as const),
    which: fc.nat(9),
    how: fc.constantFrom("succeed" as const, "fail" as const, "fail" as const, "drop" as const),
  }),
);

describe("a breaker", () => {
  test("does what its documentation says, in any sequence of calls and times", () => {
    fc.assert(
      fc.property(settings, fc.array(action, { maxLength: 60, size: "max" }), (settings, actions) => {
        const clock = new VirtualClock(12_345);
        const changes: string[] = [];
        const breaker = new Breaker(
          settings,
          clock,
          (from, to) => changes.push(`${from} ${to}`),
          () => 0,
        );
        const reference = new Reference(settings);
        const running: { readonly trial: Trial; readonly known: object | undefined }[] = [];
        for (const action of actions) {
          if (action.kind === "pass") clock.pass(action.ms);
          reference.passTo(clock.now());
          if (action.kind === "begin") {
            const known = reference.state === "closed" ? undefined : {};
            if (known !== undefined) reference.trials.add(known);
            running.push({ trial: breaker.begin(), known });
          } else if (action.kind === "end") {
            const [ended] = running.splice(action.which % Math.max(1, running.length), 1);
            if (ended === undefined) continue;
            breaker[action.how](ended.trial);
            reference.end(action.how, ended.known, clock.now());
          }
          const isUsable =
            reference.state === "closed" || (reference.state === "half_open" && reference.trials.size === 0);
          expect([breaker.state, breaker.openUntilMs, breaker.isUsable, breaker.ramp]).toEqual([
            reference.state,
            reference.state === "open" ? reference.openUntilMs : undefined,
            isUsable,
            reference.rampAt(clock.now()),
          ]);
        }
        for (const change of changes)
          expect(change).toMatch(/^(closed open|open half_open|(half_)?open closed|half_open open)$/);
      }),
      { numRuns: 500 },
    );
  });

  test("stays open longer each time, up to its cap, and a little longer by chance", () => {
    for (const chance of [0, 0.999]) {
      const clock = new VirtualClock();
      const times: number[] = [];
      const breaker = new Breaker(
        { ...defaultBreaker, openMs: 5_000, openMaxMs: 12_000 },
        clock,
        (_, to, forMs) => to === "open" && times.push(forMs ?? 0),
        () => chance,
      );
      for (let failure = 0; failure < 5; failure++) breaker.fail(breaker.begin());
      for (let time = 0; time < 3; time++) {
        clock.pass(20_000);
        expect(breaker.state).toBe("half_open");
        breaker.fail(breaker.begin());
      }
      const longer = 1 + 0.1 * chance;
      expect(times).toEqual([5_000, 10_000, 12_000, 12_000].map((ms) => ms * longer));
    }
  });

  test("starts anew after a time without failures that is longer than its ramp", () => {
    const clock = new VirtualClock();
    const times: number[] = [];
    const settings = { ...defaultBreaker, consecutive: 1 };
    const breaker = new Breaker(
      settings,
      clock,
      (_, to, forMs) => to === "open" && times.push(forMs ?? 0),
      () => 0,
    );
    const openAndClose = () => {
      breaker.fail(breaker.begin());
      clock.pass(100_000);
      breaker.succeed(breaker.begin());
    };
    openAndClose();
    clock.pass(30_000);
    openAndClose();
    clock.pass(30_001);
    openAndClose();
    expect(times).toEqual([5_000, 10_000, 5_000]);
  });

  test("takes no second trial after a call that was sent while it was open has ended", () => {
    const clock = new VirtualClock();
    const breaker = new Breaker({ ...defaultBreaker, consecutive: 1 }, clock, undefined, () => 0);
    breaker.fail(breaker.begin());
    const forced = breaker.begin();
    clock.pass(5_000);
    const trial = breaker.begin();
    breaker.drop(forced);
    expect(breaker.isUsable).toBe(false);
    breaker.drop(trial);
    expect(breaker.isUsable).toBe(true);
  });

  test("follows new settings, keeps its state, and counts anew if the window changes", () => {
    const clock = new VirtualClock();
    const counting = { ...defaultBreaker, consecutive: 100, minCalls: 4 };
    const breaker = new Breaker(counting, clock, undefined, () => 0);
    clock.pass(1_000_000);
    for (let failure = 0; failure < 3; failure++) breaker.fail(breaker.begin());
    breaker.setSettings({ ...counting, windowMs: 300_000 });
    expect(breaker.failureRatio).toBe(0);
    for (let failure = 0; failure < 3; failure++) breaker.fail(breaker.begin());
    breaker.setSettings({ ...counting, windowMs: 300_000, minCalls: 2 });
    breaker.fail(breaker.begin());
    expect(breaker.state).toBe("open");
    breaker.setSettings({ ...defaultBreaker, openMs: 1 });
    clock.pass(4_999);
    expect(breaker.state).toBe("open");
    clock.pass(1);
    expect(breaker.state).toBe("half_open");
  });
});
