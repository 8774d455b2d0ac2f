import { hash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { largestBudgetNanos } from "../../src/config/account.ts";
import { describeConfig } from "../../src/config/describe.ts";
import { formatDollars, parseDollars } from "../../src/config/dollars.ts";
import { parseTime } from "../../src/config/times.ts";
import { load, pathsOf, problemsOf } from "./harness.ts";

const digest = "0123456789abcdef".repeat(4);

const accounts = `
accounts:
  research: {}
  billing:
    display_name: Billing
    models: ["gpt-*", anthropic/claude-haiku-4-5]
    expires: 2027-01-31
    limits: { requests_per_minute: 600, tokens_per_minute: "200000000000", concurrent_calls: 0, shadow: true }
    budgets:
      - { amount_usd: "100.00", period: month }
      - { amount_usd: 0.1, period: day, time_zone: Europe/Berlin, warn_at: 50%, shadow: true, unpriced: allow }
    on_store_loss: deny
`;

describe("accounts of the file", () => {
  it("have their limits, budgets, models and expiry, ordered by id", () => {
    expect(load(accounts).accounts).toEqual([
      {
        id: "billing",
        displayName: "Billing",
        models: ["gpt-*", "anthropic/claude-haiku-4-5"],
        expiresMs: Date.parse("2027-01-31T00:00:00Z"),
        limits: { requestsPerMinute: 600, tokensPerMinute: 200_000_000_000, concurrentCalls: 0, shadow: true },
        budgets: [
          {
            ...{ amountNanos: 100_000_000_000, period: "month", timeZone: "UTC", warnAt: 0.8 },
            ...{ shadow: false, unpriced: "refuse" },
          },
          {
            ...{ amountNanos: 100_000_000, period: "day", timeZone: "Europe/Berlin", warnAt: 0.5 },
            ...{ shadow: true, unpriced: "allow" },
          },
        ],
        onStoreLoss: "deny",
      },
      { id: "research", displayName: "", models: ["*"], budgets: [], onStoreLoss: "local" },
    ]);
  });

  it("are described in a form that can be read back", () => {
    const config = load(accounts);
    const { accounts: described } = parse(describeConfig(config));
    expect(load(JSON.stringify({ accounts: described })).accounts).toEqual(config.accounts);
  });

  it.each([
    ["accounts: { a: { budgets: [{ amount_usd: 1e3, period: day }] } }", []],
    ['accounts: { a: { budgets: [{ amount_usd: "1e3", period: day }] } }', ["accounts.a.budgets[0].amount_usd"]],
    ['accounts: { a: { budgets: [{ amount_usd: "9000000.01", period: day }] } }', ["accounts.a.budgets[0].amount_usd"]],
    ['accounts: { a: { budgets: [{ amount_usd: "1", period: year }] } }', ["accounts.a.budgets[0].period"]],
    [
      "accounts: { a: { budgets: [{ amount_usd: 1, period: day, time_zone: Mars }] } }",
      ["accounts.a.budgets[0].time_zone"],
    ],
    [
      "accounts: { a: { budgets: [{ amount_usd: 1, period: day, time_zone: '+02:00' }] } }",
      ["accounts.a.budgets[0].time_zone"],
    ],
    ["accounts: { a: { budgets: [{ amount_usd: 1, period: day, warn_at: 1.5 }] } }", ["accounts.a.budgets[0].warn_at"]],
    ["accounts: { a: { limits: { requests_per_minute: -1 } } }", ["accounts.a.limits.requests_per_minute"]],
    ["accounts: { a: { limits: { requests_per_minute: 1.5 } } }", ["accounts.a.limits.requests_per_minute"]],
    ["accounts: { a: { limits: { requests: 1 } } }", ["accounts.a.limits.requests"]],
    ["accounts: { a: { expires: tomorrow } }", ["accounts.a.expires"]],
    ["accounts: { a: { models: [] } }", ["accounts.a.models"]],
    ["accounts: { a: { on_store_loss: maybe } }", ["accounts.a.on_store_loss"]],
  ])("reports the mistakes in %s", (yaml, paths) => {
    expect(pathsOf(yaml)).toEqual(paths);
  });
});

describe("keys of the file", () => {
  it("have models, expiry, limits and budgets, and are described without secrets", () => {
    const config = load(`
authentication:
  keys:
    - id: a
      sha256: ${digest}
      models: ["gpt-*"]
      expires: 2026-12-31T17:00:00+01:00
      limits: { requests_per_minute: 5 }
      budgets: [{ amount_usd: "0.000000001", period: quarter }]
`);
    expect(config.authentication.keys[0]).toMatchObject({
      models: ["gpt-*"],
      expiresMs: Date.parse("2026-12-31T16:00:00Z"),
      limits: { requestsPerMinute: 5, shadow: false },
      budgets: [{ amountNanos: 1, period: "quarter" }],
    });
    const { authentication } = parse(describeConfig(config));
    expect(authentication.keys[0]).toMatchObject({
      sha256: digest,
      models: ["gpt-*"],
      expires: "2026-12-31T16:00:00.000Z",
      limits: { requests_per_minute: 5 },
      budgets: [{ amount_usd: "0.000000001", period: "quarter" }],
    });
  });
});

describe("DRAGOMAN_API_KEYS", () => {
  it("gives keys without a file: plain ones and hashes", () => {
    const { mode, keys } = load("", { DRAGOMAN_API_KEYS: ` first , sha256:${digest.toUpperCase()}` }).authentication;
    expect(mode).toBe("keys");
    expect(keys).toEqual([
      { id: "env-1", sha256: hash("sha256", "first", "buffer"), accounts: [], role: "caller" },
      { id: "env-2", sha256: Buffer.from(digest, "hex"), accounts: [], role: "caller" },
    ]);
  });

  it("adds its keys to those of the file", () => {
    const yaml = `authentication: { keys: [{ id: a, sha256: ${digest} }] }`;
    const { keys } = load(yaml, { DRAGOMAN_API_KEYS: "one" }).authentication;
    expect(keys.map(({ id }) => id)).toEqual(["a", "env-1"]);
  });

  it("counts as unset if it is empty", () => {
    expect(load("", { DRAGOMAN_API_KEYS: "" }).authentication.mode).toBe("loopback");
  });

  it.each([
    ["sk secret", "", /^entry 1 /],
    ["sk-secret,,other", "", /^entry 2 /],
    ["sha256:secret", "", /^entry 1 /],
    ["secret,secret", "", /^key 2 of DRAGOMAN_API_KEYS is the same as key 1 of DRAGOMAN_API_KEYS$/],
    [`sha256:${digest}`, `{ id: a, sha256: ${digest} }`, /^key 1 of DRAGOMAN_API_KEYS is the same as keys\[0\]$/],
    ["secret", `{ id: env-1, sha256: ${digest} }`, /has the id env-1, which keys\[0\] has$/],
  ])("reports what is wrong with %s and the keys %s, without quoting it", (variable, keys, problem) => {
    const yaml = `authentication: { keys: [${keys}] }`;
    const problems = problemsOf(() => load(yaml, { DRAGOMAN_API_KEYS: variable }));
    expect(problems).toMatchObject([{ path: "DRAGOMAN_API_KEYS", problem: expect.stringMatching(problem) }]);
    expect(JSON.stringify(problems)).not.toContain("secret");
  });
});

describe("amounts and times", () => {
  it("keeps every nanodollar", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: largestBudgetNanos }), (nanos) => {
        expect(parseDollars(formatDollars(nanos))).toBe(nanos);
      }),
    );
    expect(formatDollars(100_000_000_000)).toBe("100.00");
  });

  it.each([
    "",
    "1.",
    ".5",
    "-1",
    "+1",
    "1e3",
    " 1",
    "1,5",
    "0.0000000001",
    "10000000",
    true,
    null,
    Number.NaN,
    -1,
    1e21,
  ])("accepts no amount %j", (value) => expect(parseDollars(value)).toBeUndefined());

  it.each([
    ["2026-02-28", "2026-02-28T00:00:00.000Z"],
    ["2028-02-29T23:59:59.5Z", "2028-02-29T23:59:59.500Z"],
    ["2026-06-01T08:00+02:00", "2026-06-01T06:00:00.000Z"],
  ])("reads the time %s", (text, iso) => expect(parseTime(text)).toBe(Date.parse(iso)));

  it.each([
    "",
    "2026",
    "2026-02-30",
    "0000-12-31",
    "9999-12-31T23:59-23:59",
    "2026-13-01",
    "2026-02-28T10:00",
    "2026-02-28T25:00Z",
    "28.2.2026",
    20_260_228,
  ])("accepts no time %j", (value) => expect(parseTime(value)).toBeUndefined());
});
