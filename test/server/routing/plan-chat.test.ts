import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ConsideredTarget } from "../../../src/gen/dragoman/v1/chat_service_pb.js";
import { answers, limits, type Play, rejects, resets, stalls } from "../../support/chat-upstream.ts";
import { ask } from "../../support/requests.ts";
import type { TestService } from "../../support/service.ts";
import { startRouted } from "./harness.ts";

const names = ["a", "b", "c", "d"] as const;
const keys = (name: string) => `keys: [{ name: k1, value: ${name}-secret-1 }, { name: k2, value: ${name}-secret-2 }]`;

async function planOf(service: TestService, more: Parameters<typeof ask>[2] = {}) {
  const { consideredTargets, provider, model } = await service
    .chatClient("grpc")
    .planChat({ chat: ask("r", "hi", more) });
  return { considered: consideredTargets, provider, model };
}

const described = (considered: readonly ConsideredTarget[]) =>
  considered.map(({ target, usable, rejection }) => (usable ? target : `${target}: ${rejection}`));

describe("PlanChat", () => {
  it("names the targets in the order in which a call would use them, and why not the others", async () => {
    const { service, call, at } = await startRouted({
      providers: names,
      sections: { b: "keys: [{ name: k1, value: b-secret-1 }]", c: "keys: [{ name: k1, value: c-secret-1 }]" },
      yaml: `routes:
  r:
    tiers: [{ targets: [{ model: a/m }, { model: b/m }], balance: order }, { targets: [{ model: c/m }] }, { targets: [{ model: d/m }, { model: d/blind }], balance: order }]
    attempts: { max: 6, per_target: 1 }
    require: [image_input]
models:
  d/blind: { capabilities: { image_input: false } }
breaker: { open: 60s }
`,
    });
    expect(described((await planOf(service)).considered)).toEqual([
      ...["a/m", "b/m", "c/m", "d/m"],
      "d/blind: d/blind does not have the capability image_input, which the route r requires",
    ]);
    at.a.plays(resets);
    at.b.plays(limits(60_000));
    at.c.plays(rejects(401));
    for (let index = 0; index < 5; index++) expect((await call("gRPC unary", { model: "r" })).text).toBe("d");
    const { considered, provider, model } = await planOf(service);
    expect(described(considered)).toEqual([
      "d/m",
      expect.stringMatching(/^a\/m: a\/m failed too often and is not called for [\d.]+ s$/),
      expect.stringMatching(/^b\/m: b limits the rate of b\/m for [\d.]+ s: try later$/),
      "c/m: c rejects every key for c/m",
      "d/blind: d/blind does not have the capability image_input, which the route r requires",
    ]);
    expect({ provider, model }).toEqual({ provider: "d", model: "d/m" });
  });

  it("names first the target for which a call would wait, if all are limited", async () => {
    const { service, call, at } = await startRouted({
      providers: ["a", "b"],
      sections: { a: "keys: [{ name: k1, value: a-secret-1 }]", b: "keys: [{ name: k1, value: b-secret-1 }]" },
      yaml: `routes:
  r:
    tiers: [{ targets: [{ model: a/m }, { model: b/m }], balance: order }]
    attempts: { max: 2, per_target: 1 }
`,
    });
    at.a.plays(limits(4_000), answers("a"));
    at.b.plays(limits(600), answers("b"));
    expect(await call("gRPC unary", { model: "r" })).toMatchObject({ reason: "PROVIDER_RATE_LIMITED" });
    const { considered, provider } = await planOf(service);
    expect(described(considered)).toEqual([
      expect.stringMatching(/^b\/m: b limits the rate/),
      expect.stringMatching(/^a\/m: a limits the rate/),
    ]);
    expect(provider).toBe("b");
    expect((await call("gRPC unary", { model: "r" })).recorded).toEqual(["b/m#k1"]);
  });

  it("asks nobody and changes nothing", async () => {
    const { service, at } = await startRouted({
      providers: ["a", "b"],
      yaml: "routes: { r: { tiers: [{ targets: [{ model: a/m }, { model: b/m }] }] } }",
    });
    const first = (await planOf(service)).considered.map(({ target }) => target);
    for (let index = 0; index < 10; index++) {
      expect((await planOf(service)).considered.map(({ target }) => target)).toEqual(first);
    }
    expect(at.a.requests.length + at.b.requests.length).toBe(0);
  });

  it("says which target a request with fallback_models would use next", async () => {
    const { service } = await startRouted({ providers: ["a", "b", "c"], yaml: "" });
    const { consideredTargets } = await service
      .chatClient("connect-json")
      .planChat({ chat: ask("a/m", "hi", { fallbackModels: ["c/m", "b/m"] }) });
    expect(described(consideredTargets)).toEqual(["a/m", "c/m", "b/m"]);
  });

  it("fails as the call would if no target can serve the request", async () => {
    const { service, call } = await startRouted({
      providers: ["a"],
      yaml: `routes: { r: { tiers: [{ targets: [{ model: a/m }] }] } }
models: { a/m: { unsupported_parameters: [parameters.top_k] } }
`,
    });
    const more = { strictParameters: true, parameters: { topK: 3 } };
    await expect(planOf(service, more)).rejects.toThrow(/top_k/);
    const got = await call("gRPC unary", { model: "r", ...(more as object) });
    expect(got).toMatchObject({ reason: "UNSUPPORTED_PARAMETER", recorded: [] });
  });
});

/** What a target does to the calls that make a state. */
const plays: readonly ((name: string) => Play)[] = [
  answers,
  answers,
  () => rejects(503),
  () => resets,
  () => limits(60_000),
  () => rejects(401),
  () => rejects(403),
];

const anyTier = fc.record({
  targets: fc.uniqueArray(
    fc.record({
      name: fc.constantFrom(...names),
      model: fc.constantFrom("m", "n"),
      weight: fc.integer({ min: 1, max: 5 }),
    }),
    { minLength: 1, maxLength: 3, selector: ({ name, model }) => `${name}/${model}` },
  ),
  balance: fc.constantFrom("weighted", "latency", "cost", "order"),
});

const anyState = fc.record({
  tiers: fc.array(anyTier, { minLength: 1, maxLength: 3 }),
  scripts: fc.tuple(...names.map(() => fc.constantFrom(...plays))),
  calls: fc.integer({ min: 0, max: 12 }),
  affinity: fc.constantFrom("auto", "off"),
  key: fc.constantFrom("", "session"),
});

describe("the law of PlanChat", () => {
  it("names first the target that the next call asks, in any state that calls have made", async () => {
    await fc.assert(
      fc.asyncProperty(anyState, async ({ tiers, scripts, calls, affinity, key }) => {
        const used = tiers.map(({ targets, balance }) => {
          const list = targets.map(({ name, model, weight }) => `{ model: ${name}/${model}, weight: ${weight} }`);
          return `{ targets: [${list.join(", ")}], balance: ${balance} }`;
        });
        const routed = await startRouted({
          providers: names,
          sections: { a: keys("a"), b: keys("b") },
          yaml: `routes:
  r: { tiers: [${used.join(", ")}], affinity: ${affinity}, retry: { backoff: { initial: 1ms, max: 1ms } } }
prices: { a/m: { input: "1", output: "2" }, b/m: { input: "2", output: "1" }, c/n: { input: "1", output: "1" } }
breaker: { consecutive: 3, open: 60s }
`,
        });
        const { service, call, at, close } = routed;
        for (const [index, name] of names.entries()) at[name].plays((scripts[index] ?? answers)(name));
        const more = { promptCacheKey: key };
        for (let index = 0; index < calls; index++) await call("gRPC unary", { model: "r", ...more });
        for (let index = 0; index < 3; index++) {
          const { considered } = await planOf(service, more);
          const usable = considered.filter((target) => target.usable).map(({ target }) => target);
          const got = await call("gRPC unary", { model: "r", ...more });
          expect(got.record.attempts[0]?.target).toBe(usable[0]);
          const asked = [...new Set(got.record.attempts.map(({ target }) => target))];
          for (const target of asked) expect(considered.map((one) => one.target)).toContain(target);
        }
        await close();
      }),
      { numRuns: 30, endOnFailure: true },
    );
  }, 120_000);

  it("lists the targets in the order in which a call tries them if all fail, no breaker opens and nothing is drawn", async () => {
    await fc.assert(
      fc.asyncProperty(anyState, async ({ tiers, scripts, calls }) => {
        const used = tiers.map(({ targets }) => {
          const list = targets.map(({ name, model }) => `{ model: ${name}/${model} }`);
          return `{ targets: [${list.join(", ")}], balance: order }`;
        });
        const { service, call, at, close } = await startRouted({
          providers: names,
          sections: { a: keys("a"), b: keys("b") },
          yaml: `routes: { r: { tiers: [${used.join(", ")}], affinity: off, attempts: { max: 20, per_target: 1 } } }
breaker: { consecutive: 1000, min_calls: 1000 }
`,
        });
        for (const [index, name] of names.entries()) at[name].plays((scripts[index] ?? answers)(name));
        for (let index = 0; index < calls; index++) await call("gRPC unary", { model: "r" });
        for (const name of names) at[name].plays(rejects(503));
        const { considered } = await planOf(service);
        const { record } = await call("gRPC unary", { model: "r" });
        // A target can be in two tiers.
        const planned = [...new Set(considered.filter(({ usable }) => usable).map(({ target }) => target))];
        const asked = [...new Set(record.attempts.map(({ target }) => target))];
        expect(asked.slice(0, planned.length)).toEqual(planned);
        await close();
      }),
      { numRuns: 15, endOnFailure: true },
    );
  }, 120_000);

  it("holds while calls are in progress", async () => {
    const { service, call, at } = await startRouted({
      providers: ["a", "b", "c"],
      yaml: "routes: { r: { tiers: [{ targets: [{ model: a/m }, { model: b/m }, { model: c/m }], balance: latency }] } }",
    });
    for (let index = 0; index < 12; index++) await call("gRPC unary", { model: "r" });
    for (const upstream of Object.values(at)) upstream.plays(stalls);
    const controller = new AbortController();
    const running: Promise<unknown>[] = [];
    const asked = () => Object.values(at).reduce((sum, { requests }) => sum + requests.length, 0);
    for (let index = 0; index < 9; index++) {
      const first = (await planOf(service)).considered[0]?.target ?? "";
      const upstream = at[first.slice(0, 1) as "a"];
      const before = upstream.requests.length;
      const all = asked();
      running.push(call("gRPC unary", { model: "r", signal: controller.signal }));
      await upstream.received(before + 1);
      expect(asked()).toBe(all + 1);
    }
    controller.abort();
    await Promise.all(running);
  });
});
