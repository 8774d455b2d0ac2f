import fc from "fast-check";
import { defaultBreaker } from "../../../src/config/route.ts";
import { answering, type Behavior, breaker, call, failing, route, type Script, stalling, target } from "./script.ts";

/** Scripts of all kinds of calls, routes and targets. */
const varied: fc.Arbitrary<Script> = fc
  .record({ targets: fc.constantFrom(1, 2, 2, 3, 4, 6, 8), routes: fc.constantFrom(1, 1, 2), providers: fc.nat(2) })
  .chain(({ targets, routes, providers }) =>
    fc.record({
      seed: fc.nat(),
      startMs: fc.constantFrom(0, 1, 123_456.789),
      merges: fc.boolean(),
      breaker,
      targets: fc.array(target(providers + 1), { minLength: targets, maxLength: targets }),
      routes: fc.array(route(targets), { minLength: routes, maxLength: routes }),
      calls: fc.oneof(
        { weight: 9, arbitrary: fc.array(call(targets, routes), { minLength: 1, maxLength: 6 }) },
        { weight: 1, arbitrary: fc.array(call(targets, routes), { minLength: 7, maxLength: 24 }) },
      ),
    }),
  );

/** A behavior in steps of few different times, so that many things happen in one turn. */
const inStep = (behavior: fc.Arbitrary<Behavior>): fc.Arbitrary<Behavior> =>
  fc.tuple(behavior, fc.constantFrom(0, 10, 60)).map(([one, ms]) => ({
    ...one,
    queueMs: 0,
    firstMs: one.firstMs === Number.POSITIVE_INFINITY ? one.firstMs : ms,
    gapsMs: one.gapsMs.map(() => 10),
  }));

/** Scripts in which calls hinder each other: they share few targets and keys, and do the same at the same time. */
const crowds: fc.Arbitrary<Script> = fc.integer({ min: 1, max: 3 }).chain((targets) =>
  fc.record({
    seed: fc.nat(),
    startMs: fc.constantFrom(0, 123_456.789),
    merges: fc.constantFrom(true, true, false),
    breaker: fc.oneof(fc.constant({ ...defaultBreaker, consecutive: 1_000, minCalls: 1_000 }), breaker),
    targets: fc.array(
      fc.record({
        keys: fc.constantFrom(0, 2, 3),
        provider: fc.constant(0),
        windowTokens: fc.constant(0),
        cost: fc.constant(undefined),
        weight: fc.constant(1),
        behaviors: fc.array(
          inStep(
            fc.oneof(
              { weight: 5, arbitrary: failing },
              { weight: 3, arbitrary: answering },
              { weight: 1, arbitrary: stalling },
            ),
          ),
          { minLength: 1, maxLength: 3 },
        ),
      }),
      { minLength: targets, maxLength: targets },
    ),
    routes: fc.array(route(targets), { minLength: 1, maxLength: 2 }),
    calls: fc
      .record({
        calls: fc.array(call(targets, 1), { minLength: 2, maxLength: 20 }),
        startsMs: fc.array(fc.constantFrom(0, 0, 10, 1_000), { minLength: 20, maxLength: 20 }),
        deadlineMs: fc.constantFrom(70, 130, 1_000, 5_000, 60_000),
      })
      .map(({ calls, startsMs, deadlineMs }) =>
        calls.map((one, index) => ({ ...one, startMs: startsMs[index] ?? 0, deadlineMs, planMs: one.planMs % 100 })),
      ),
  }),
);

export const scripts: fc.Arbitrary<Script> = fc.oneof(
  { weight: 4, arbitrary: varied },
  { weight: 1, arbitrary: crowds },
);
