import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { describeConfig } from "../../src/config/describe.ts";
import { loadConfig } from "../../src/config/load.ts";
import { longestTimerMs } from "../../src/config/quantities.ts";
import { defaultBreaker, type RouteSettings } from "../../src/config/route.ts";
import { ModelCapabilitiesSchema } from "../../src/gen/dragoman/v1/model_pb.js";
import { profileNames } from "../../src/profiles/profiles.ts";
import { listedModels, providers as registered } from "../../src/providers/registry.ts";
import { dollar, load, problemsOf, writeConfig } from "./harness.ts";

const tiers = "tiers: [{ targets: [{ model: gpt-4o }] }]";

function only(yaml: string, environment = {}): RouteSettings {
  const [route, ...others] = load(yaml, environment).routes;
  if (route === undefined || others.length > 0) throw new Error("expected one route");
  return route;
}

const mistakes = (yaml: string, environment = {}) =>
  Object.fromEntries(
    problemsOf(() => load(yaml, environment)).map(({ path, problem, fix }) => [path, `${problem}; ${fix}`]),
  );

/** Mistakes of a route with these further keys, by path without the route's. */
const inRoute = (keys: string, targets = tiers) =>
  Object.fromEntries(
    Object.entries(mistakes(`routes: { r: { ${targets}, ${keys} } }`)).map(([path, text]) => [path.slice(9), text]),
  );

describe("a route", () => {
  it("needs only its targets", () => {
    expect(only(`routes: { fast: { ${tiers} } }`)).toEqual({
      id: "fast",
      tiers: [{ targets: [{ model: "gpt-4o", weight: 1 }], balance: "weighted" }],
      affinity: true,
      maxAttempts: 4,
      maxPerTarget: 2,
      backoff: { initialMs: 100, maxMs: 2000 },
      retryAfterUpToMs: 5000,
      retryBudget: 0.2,
      timeouts: { firstOutputMs: 0, idleMs: 0, attemptMs: 0 },
      hedge: undefined,
      require: [],
      profile: undefined,
    });
    expect(load("").routes).toEqual([]);
  });

  it("has every setting of its entry", () => {
    const yaml = `
routes:
  chat-fast:
    tiers:
      - targets: [{ model: openai/gpt-4o, weight: 3 }, { model: vllm/org/m, weight: "${dollar}{WEIGHT}" }]
        balance: latency
      - targets: [{ model: echo/echo }]
        balance: order
    affinity: off
    attempts: { max: 5, per_target: 3 }
    retry: { backoff: { initial: 50ms, max: 1s }, retry_after_up_to: 10s, budget: 10% }
    timeouts: { first_output: 120s, idle: 30s, attempt: 180s }
    hedge: { after: p95, budget: 0.05 }
    require: [tools, system_messages]
    profile: cerebras
`;
    expect(only(yaml, { WEIGHT: "0.5" })).toEqual({
      id: "chat-fast",
      tiers: [
        {
          targets: [
            { model: "openai/gpt-4o", weight: 3 },
            { model: "vllm/org/m", weight: 0.5 },
          ],
          balance: "latency",
        },
        { targets: [{ model: "echo/echo", weight: 1 }], balance: "order" },
      ],
      affinity: false,
      maxAttempts: 5,
      maxPerTarget: 3,
      backoff: { initialMs: 50, maxMs: 1000 },
      retryAfterUpToMs: 10_000,
      retryBudget: 0.1,
      timeouts: { firstOutputMs: 120_000, idleMs: 30_000, attemptMs: 180_000 },
      hedge: { after: "p95", budget: 0.05 },
      require: ["tools", "systemMessages"],
      profile: "cerebras",
    });
  });

  it("lowers the defaults that a smaller maximum bounds", () => {
    const route = only(`routes: { r: { ${tiers}, attempts: { max: 1 }, retry: { backoff: { max: 10ms } } } }`);
    expect(route).toMatchObject({ maxPerTarget: 1, backoff: { initialMs: 10, maxMs: 10 } });
    expect(load("breaker: { open_max: 1s }").breaker).toMatchObject({ openMs: 1000, openMaxMs: 1000 });
  });

  it.each([
    ["auto", true],
    ["on", true],
    ["true", true],
    ["off", false],
    ["false", false],
    ['"false"', false],
  ])("has with the affinity %s the affinity %s", (written, affinity) => {
    expect(only(`routes: { r: { ${tiers}, affinity: ${written} } }`).affinity).toBe(affinity);
  });

  it.each([
    ["{}", { after: "p95", budget: 0.02 }],
    ["{ after: 2s }", { after: 2000, budget: 0.02 }],
    ["{ after: 250, budget: 5% }", { after: 250, budget: 0.05 }],
  ])("reads the hedge %s", (written, hedge) => {
    expect(only(`routes: { r: { ${tiers}, hedge: ${written} } }`).hedge).toEqual(hedge);
  });

  it.each([
    "gpt-4o",
    "omni",
    "openai/gpt-4o",
    "vllm/any/thing",
    "house",
    "deployments/bot",
  ])("can have the target %s", (model) => {
    const models = "models: { house: { provider: vllm } }\ndeployments: { bot: { model: house, account: a } }";
    const yaml = `${models}\nroutes: { r: { tiers: [{ targets: [{ model: ${model} }] }] } }`;
    expect(only(yaml).tiers[0]?.targets).toEqual([{ model, weight: 1 }]);
  });

  it("can have the name of a model, an alias or provider/model", () => {
    for (const id of ["gpt-4o", "omni", "openai/gpt-4o"]) {
      const yaml = stringify({ routes: { [id]: { tiers: [{ targets: [{ model: "echo/echo" }] }] } } });
      expect(only(yaml).id).toBe(id);
    }
  });

  it("can drain a target, and have deployments of one model with different owners in a tier", () => {
    const yaml = `
deployments: { a: { model: gpt-4o, account: a }, b: { model: gpt-4o, account: b } }
routes: { r: { tiers: [{ targets: [{ model: deployments/a }, { model: deployments/b }, { model: gpt-4o, weight: 0 }] }] } }
`;
    expect(only(yaml).tiers[0]?.targets.map(({ weight }) => weight)).toEqual([1, 1, 0]);
  });

  it("can require what its models may have, known or unknown", () => {
    expect(inRoute("require: [system_messages]")).toEqual({});
    expect(inRoute("require: [tools, regex]", "tiers: [{ targets: [{ model: vllm/m }] }]")).toEqual({});
  });
});

it("loads the example of docs/configuration.md", () => {
  const page = readFileSync(resolve(import.meta.dirname, "../../docs/configuration.md"), "utf8");
  const [, example = ""] = /\n## Routes\n[^#]*?```yaml\n(.*?)```/s.exec(page) ?? [];
  const file = writeConfig(example);
  const { routes, breaker } = loadConfig({ environment: {}, file, providers: registered, models: listedModels({}) });
  expect(routes.map(({ id, tiers }) => [id, tiers.length])).toEqual([["chat-fast", 2]]);
  expect(breaker).toEqual(defaultBreaker);
});

describe("mistakes in routes", () => {
  it("are reported for the id of a route", () => {
    const route = `{ ${tiers} }`;
    const ids = ["''", "a b", "deployments/x", "x".repeat(257)];
    const yaml = `routes:\n${ids.map((id) => `  ${id}: ${route}\n`).join("")}`;
    const text =
      "is not a valid route id; write 1 to 256 characters without whitespace, not starting with `deployments/`";
    expect(mistakes(yaml)).toEqual({
      "routes.": text,
      "routes.a b": text,
      "routes.deployments/x": text,
      [`routes.${"x".repeat(257)}`]: text,
    });
  });

  it("are reported for its tiers", () => {
    const yaml = `
routes:
  none: { affinity: off }
  empty: { tiers: [] }
  without: { tiers: [{ balance: cost }, { targets: [] }] }
  drained: { tiers: [{ targets: [{ model: gpt-4o, weight: 0 }, { model: echo/echo, weight: 0 }] }] }
  text: { tiers: [{ targets: [gpt-4o] }] }
  single: { tiers: [{ targets: { model: gpt-4o } }] }
  flat: { tiers: [[gpt-4o]] }
  hedged: { tiers: [{ targets: [{ model: gpt-4o }] }], hedge: true }
  nameless: { tiers: [{ targets: [{ weight: 2 }] }] }
  heavy: { tiers: [{ targets: [{ model: gpt-4o, weight: -1 }], balance: random }] }
`;
    const list = "write a list such as `- targets: [{ model: NAME }]`, with the name of a model";
    const noTargets = "is empty, so the tier could serve no call; write `[{ model: NAME }]`, or remove the tier";
    expect(mistakes(yaml)).toEqual({
      "routes.none.tiers": `is missing; ${list}`,
      "routes.empty.tiers": `is empty, so no target could serve the route; ${list}`,
      "routes.without.tiers[0].targets": noTargets,
      "routes.without.tiers[1].targets": noTargets,
      "routes.drained.tiers[0].targets":
        "has only weights of 0, so no target would get calls; give at least one a weight above 0",
      "routes.text.tiers[0].targets[0]": "is not a mapping; write `{ model: NAME }`, with the name in place of NAME",
      "routes.single.tiers[0].targets": "is not a list; write a list, such as `[one, other]`",
      "routes.flat.tiers[0]": "is not a mapping; write a mapping with the keys targets, balance",
      "routes.hedged.hedge": "is not a mapping; write a mapping with the keys after, budget",
      "routes.nameless.tiers[0].targets[0].model":
        "is missing; write an id of the catalog, `provider/model` or `deployments/<id>`",
      "routes.heavy.tiers[0].targets[0].weight":
        "-1 is not a weight; write a number from 0 (no calls) to 1000000, such as 3 or 0.5",
      "routes.heavy.tiers[0].balance": '"random" is not a valid value; write one of weighted, latency, cost, order',
    });
  });

  it("are reported for the names of its targets", () => {
    const yaml = `
deployments: { support: { model: gpt-4o } }
routes:
  r:
    tiers:
      - targets:
          - model: gpt-4p
          - model: something-else
          - model: vlm/m
          - model: deployments/suport
          - model: deployments/other-thing
          - model: r
          - model: omni
          - model: gpt-4o
          - model: openai/gpt-4o
          - model: openai/gpt-5
      - targets: [{ model: openai/gpt-5 }, { model: openai/gpt-5 }]
  omni: { ${tiers} }
`;
    const unknown = "is neither a model in the catalog nor provider/model with a known provider";
    const twice = (place: number) =>
      `is the same model as targets[${place}]; remove one, or give the other more weight`;
    const route = "is a route, and a target must be a model";
    const at = (place: number, tier = 0) => `routes.r.tiers[${tier}].targets[${place}].model`;
    expect(mistakes(yaml)).toEqual({
      [at(0)]: `${unknown}; did you mean \`gpt-4o\`?`,
      [at(1)]: `${unknown}; write an id of the catalog or provider/model`,
      [at(2)]: `${unknown}; add \`vlm\` under \`providers\`, or write an id of the catalog`,
      [at(3)]: `${unknown}; did you mean \`deployments/support\`?`,
      [at(4)]: `${unknown}; add it under \`deployments\``,
      [at(5)]: `${route}; write its targets instead`,
      [at(6)]: `${route}; write \`openai/gpt-4o\``,
      [at(8)]: twice(7),
      [at(1, 1)]: twice(0),
    });
  });

  it("are reported for its rules", () => {
    const whole = "is not a whole number from 1 to 100; write a number from 1 to 100";
    expect(inRoute("attempts: { max: 0, per_target: 101 }")).toEqual({
      "attempts.max": `0 ${whole}`,
      "attempts.per_target": `101 ${whole}`,
    });
    expect(inRoute("attempts: { per_target: 5 }")).toEqual({
      "attempts.per_target": "is above attempts.max, which is 4; write at most 4, or raise attempts.max",
    });
    expect(inRoute("retry: { backoff: { initial: 3s }, budget: 120%, retry_after_up_to: long }")).toEqual({
      "retry.backoff.initial": "is above max, which is 2s; write at most 2s, or raise max",
      "retry.budget": '"120%" is not a share; write a number from 0 to 1 or a percentage, such as 0.85 or 85%',
      "retry.retry_after_up_to": expect.stringContaining('"long" is not a duration; write a duration such as'),
    });
    expect(inRoute("timeouts: { first_output: 3m, attempt: 2m, connect: 1s }")).toEqual({
      "timeouts.connect": expect.stringContaining("is not a known key"),
    });
    expect(inRoute("timeouts: { first_output: 3m, attempt: 2m }")).toEqual({
      "timeouts.first_output": "is above timeouts.attempt, so it would never apply; write at most 2m, or remove it",
    });
    expect(inRoute("affinity: always, hedge: { after: p90, budget: 0 }, profile: egp")).toEqual({
      affinity: '"always" is not a valid value; write one of auto, off',
      "hedge.after": '"p90" is neither p95 nor a duration above zero; write p95, or a duration such as 500ms or 2s',
      "hedge.budget":
        "0 is not a share above zero; write a number above 0 and up to 1 or a percentage, such as 0.85 or 85%",
      profile: expect.stringContaining('"egp" is not a valid value; write one of'),
    });
  });

  it("are reported for the capabilities that it requires", () => {
    expect(inRoute("require: [vision, tool, toString]")).toEqual({
      "require[0]": '"vision" is not a capability of models; write image_input',
      "require[1]": '"tool" is not a capability of models; did you mean `tools`?',
      "require[2]": expect.stringContaining("write one of system_messages, tools, parallel_tool_calls"),
    });
    expect(inRoute("require: [system_messages, regex, system_messages]")).toEqual({
      "require[2]": "is already at [0]; remove it",
      require: "needs regex, which no target has, so no caller could use the route; remove it, or add a target",
    });
    const models = `models:
  a: { provider: vllm, capabilities: { tools: true } }
  b: { provider: vllm, capabilities: { regex: true } }
`;
    const targets = "tiers: [{ targets: [{ model: a }] }, { targets: [{ model: b }] }]";
    expect(mistakes(`${models}routes: { r: { ${targets}, require: [tools, regex] } }`)).toEqual({
      "routes.r.require":
        "needs all of them together, which no target has, so no caller could use the route; remove it, or add a target",
    });
  });

  it("are reported for the breaker", () => {
    const yaml =
      "breaker: { window: 0, min_calls: 0, failure_ratio: 0, consecutive: half, max_open_share: 2, openmax: 5s }";
    expect(mistakes(yaml)).toEqual({
      "breaker.window": expect.stringContaining("0 is not a duration above zero"),
      "breaker.min_calls": expect.stringContaining("0 is not a whole number above zero"),
      "breaker.failure_ratio": expect.stringContaining("0 is not a share above zero"),
      "breaker.consecutive": expect.stringContaining('"half" is not a whole number above zero'),
      "breaker.max_open_share": expect.stringContaining("2 is not a share"),
      "breaker.openmax": "is not a known key; did you mean `open_max`?",
    });
    expect(mistakes("breaker: { open: 2m }")).toEqual({
      "breaker.open": "is above open_max, which is 1m; write at most 1m, or raise open_max",
    });
  });

  it("never quote the value of a variable", () => {
    const s = `"${dollar}{S}"`;
    const yaml = `
routes:
  a: { tiers: [{ targets: [{ model: ${s} }] }], affinity: ${s}, require: [${s}], hedge: { after: ${s} }, profile: ${s} }
  b: { tiers: [{ targets: [${s}] }], attempts: { max: ${s} } }
breaker: { open: ${s} }
`;
    const problems = problemsOf(() => load(yaml, { S: "sk-secret" }));
    expect(problems.length).toBe(8);
    expect(JSON.stringify(problems)).not.toContain("sk-secret");
  });
});

describe("the breaker", () => {
  it("has its defaults, and every setting of the section", () => {
    expect(load("").breaker).toEqual(defaultBreaker);
    const yaml =
      "breaker: { window: 1m, min_calls: 5, failure_ratio: 30%, consecutive: 3, open: 1s, open_max: 2m, ramp: 0, max_open_share: 1 }";
    expect(load(yaml).breaker).toEqual({
      windowMs: 60_000,
      minCalls: 5,
      failureRatio: 0.3,
      consecutive: 3,
      openMs: 1000,
      openMaxMs: 120_000,
      rampMs: 0,
      maxOpenShare: 1,
    });
  });
});

describe("what --check prints of routes and the breaker", () => {
  const ms = fc.oneof(
    fc.integer({ min: 0, max: longestTimerMs }),
    fc.integer({ min: 0, max: 9 }).map((n) => n * 60_000),
  );
  const msAboveZero = ms.map((value) => value || 1);
  const number = fc.double({ min: 0, max: 1, noNaN: true });
  const shares = fc.oneof(
    number,
    number.filter((value) => value === 0 || value > 1e-6).map((value) => `${value * 100}%`),
  );
  const optional = { requiredKeys: [] };
  const ascending = (value: fc.Arbitrary<number>) =>
    fc.tuple(value, value).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);

  const tier = fc.record({
    targets: fc
      .shuffledSubarray(["gpt-4o", "echo/echo", "vllm/a", "vllm/org/b", "local/c"], { minLength: 1 })
      .chain((names) =>
        fc.tuple(
          ...names.map((model, place) =>
            fc.record({
              model: fc.constant(model),
              weight: fc.double({ min: place === 0 ? 1e-9 : 0, max: 1e6, noNaN: true }),
            }),
          ),
        ),
      ),
    balance: fc.constantFrom("weighted", "latency", "cost", "order"),
  });
  const route = fc
    .record(
      {
        attempts: ascending(fc.integer({ min: 1, max: 100 })).map(([per_target, max]) => ({ max, per_target })),
        retry: fc.record(
          {
            backoff: ascending(ms).map(([initial, max]) => ({ initial, max })),
            retry_after_up_to: ms,
            budget: shares,
          },
          optional,
        ),
        timeouts: fc.oneof(
          fc.record({ first_output: ms, idle: ms }),
          ascending(msAboveZero).map(([first_output, attempt]) => ({ first_output, attempt })),
        ),
        hedge: fc.record(
          { after: fc.oneof(fc.constant("p95"), msAboveZero), budget: fc.double({ min: 1e-9, max: 1, noNaN: true }) },
          optional,
        ),
        affinity: fc.constantFrom("auto", "off"),
        require: fc.subarray(["tools", "system_messages", "image_input"]),
        profile: fc.constantFrom(...profileNames),
      },
      optional,
    )
    .chain((keys) =>
      fc
        .array(tier, { minLength: 1, maxLength: 3 })
        .map((list) => ({ ...keys, tiers: [...list, { targets: [{ model: "vllm/any" }] }] })),
    );
  const breaker = fc
    .record({
      window: msAboveZero,
      min_calls: fc.integer({ min: 1, max: 999 }),
      failure_ratio: fc.double({ min: 1e-9, max: 1, noNaN: true }),
      consecutive: fc.integer({ min: 1, max: 999 }),
      opens: ascending(msAboveZero),
      ramp: ms,
      max_open_share: number,
    })
    .map(({ opens: [open, open_max], ...rest }) => ({ ...rest, open, open_max }));
  const ids = fc
    .stringMatching(/^[!-~]{1,40}$/)
    .filter((id) => !/^(deployments\/|__proto__$|vllm\/|local\/|echo\/|gpt)/.test(id));

  it("loads to the same routes and the same breaker", () => {
    fc.assert(
      fc.property(fc.dictionary(ids, route, { maxKeys: 3, noNullPrototype: true }), breaker, (routes, section) => {
        const loaded = load(stringify({ routes, breaker: section }));
        const printed = parse(describeConfig(loaded));
        const again = load(stringify({ routes: printed.routes, breaker: printed.breaker }));
        expect(again.routes).toEqual(loaded.routes);
        expect(again.breaker).toEqual(loaded.breaker);
        expect(loaded.routes.map(({ id }) => id)).toEqual(Object.keys(routes));
      }),
    );
  });

  it("names every capability that a route can require", () => {
    for (const { name, localName } of ModelCapabilitiesSchema.fields) {
      const yaml = `routes: { r: { tiers: [{ targets: [{ model: vllm/m }] }], require: [${name}] } }`;
      expect(only(yaml).require).toEqual([localName]);
      expect(parse(describeConfig(load(yaml))).routes.r.require).toEqual([name]);
    }
  });
});
