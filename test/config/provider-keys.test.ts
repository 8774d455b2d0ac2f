import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { describeConfig } from "../../src/config/describe.ts";
import { removed } from "../../src/config/described.ts";
import type { ProviderKey } from "../../src/config/provider.ts";
import { dollar, load, problemsOf } from "./harness.ts";

const shown = (keys: readonly ProviderKey[] = []) =>
  keys.map(({ name, secret, weight }) => [name, secret.reveal(), weight]);

const problemsWith = (section: string, environment = {}) =>
  problemsOf(() => load(`providers: { openai: { ${section} } }`, environment));

describe("the keys of a provider", () => {
  it("are a list with names and weights, and the first one is the provider's own", () => {
    const yaml = `
providers:
  openai:
    keys:
      - { name: a, value: "${dollar}{K1}", weight: 2.5 }
      - { name: b, value: " k2 " }
`;
    const [openai] = load(yaml, { K1: "k1", OPENAI_API_KEY: "variable" }).providers;
    expect(shown(openai?.keys)).toEqual([
      ["a", "k1", 2.5],
      ["b", "k2", 1],
    ]);
    expect(openai?.apiKey).toBe(openai?.keys[0]?.secret);
  });

  it("enable the provider", () => {
    const { providerStatuses } = load("providers: { openai: { keys: [{ name: a, value: k }] } }");
    expect(providerStatuses[0]).toMatchObject({ on: true, reason: "providers.openai.keys is set" });
    expect(problemsWith("enabled: true, keys: [{ name: a, value: k }]")).toEqual([]);
  });

  it("are a single one without a name for api_key or the variable, and none without them", () => {
    expect(shown(load("providers: { openai: { api_key: k } }").providers[0]?.keys)).toEqual([["", "k", 1]]);
    expect(shown(load("", { OPENAI_API_KEY: "v" }).providers[0]?.keys)).toEqual([["", "v", 1]]);
    const [vllm] = load("", { VLLM_BASE_URL: "http://h" }).providers;
    expect(vllm).toMatchObject({ name: "vllm", keys: [], apiKey: undefined });
  });

  it.each([
    ["api_key: k, keys: [{ name: a, value: k }]", "keys", "move the value of api_key to an entry of keys"],
    ["keys: []", "keys", "write at least one key with name and value, or remove it"],
    ["keys: [{ name: a, value: k }, { name: a, value: l }]", "keys[1].name", "rename or remove one"],
    ["keys: [{ value: k }]", "keys[0].name", "write 1 to 64 characters"],
    ["keys: [{ name: '', value: k }]", "keys[0].name", "write 1 to 64 characters"],
    [`keys: [{ name: ${"n".repeat(65)}, value: k }]`, "keys[0].name", "write 1 to 64 characters"],
    ["keys: [{ name: a }]", "keys[0].value", "correct the value, or the variable that sets it"],
    ["keys: [{ name: a, value: a b }]", "keys[0].value", "correct the value, or the variable that sets it"],
    ["keys: [{ name: a, value: k, weight: 0 }]", "keys[0].weight", "write a number such as 1 or 2.5"],
    ["keys: [{ name: a, value: k, weight: -1 }]", "keys[0].weight", "write a number such as 1 or 2.5"],
    ["keys: [{ name: a, value: k, weight: x }]", "keys[0].weight", "write a number such as 1 or 2.5"],
    ["keys: [{ name: a, value: k, wight: 1 }]", "keys[0].wight", "did you mean `weight`?"],
  ])("rejects %s", (section, path, fix) => {
    expect(problemsWith(section)).toEqual([{ path: `providers.openai.${path}`, problem: expect.any(String), fix }]);
  });

  it.each([
    "keys: []",
    "keys: [{ name: a }]",
    "keys: [k]",
    "keys: k",
  ])("are not missing if they are wrong: %s", (keys) => {
    const paths = problemsOf(() => load(`providers: { mine: { dialect: openai, ${keys} } }`)).map(({ path }) => path);
    expect(paths).toHaveLength(1);
    expect(paths[0]).toMatch(/^providers\.mine\.keys/);
  });

  it("cannot be set for a provider without API keys", () => {
    const problems = problemsOf(() => load("providers: { echo: { keys: [{ name: a, value: k }] } }"));
    expect(problems).toEqual([
      { path: "providers.echo.keys", problem: "is not used: this provider has no API key", fix: "remove it" },
    ]);
  });

  it("are never quoted in a problem", () => {
    const sections = [
      "keys: [{ name: a, value: sk secret }]",
      "api_key: sk-secret, keys: [{ name: a, value: sk-secret }]",
      "keys: [{ name: a, value: [sk-secret] }]",
      "keys: [{ nam: a, value: sk-secret }]",
    ];
    for (const section of sections) expect(JSON.stringify(problemsWith(section))).not.toMatch(/sk.secret/);
  });

  it("law: are shown without their values in the layout of the file, which reads back", () => {
    const name = fc
      .string({ unit: "grapheme", minLength: 1, maxLength: 64 })
      .filter((text) => /^[^\p{C}]{1,64}$/u.test(text));
    const weight = fc.double({ min: 0.001, max: 1e6, noNaN: true }).map((number) => Number(number.toFixed(3)));
    const key = fc.record({ name, value: fc.stringMatching(/^sk-[a-z]{12}$/), weight });
    fc.assert(
      fc.property(fc.uniqueArray(key, { minLength: 1, maxLength: 4, selector: (one) => one.name }), (keys) => {
        const described = describeConfig(load(stringify({ providers: { openai: { keys } } })));
        for (const { value } of keys) expect(described).not.toContain(value);
        const section = parse(described).providers.openai;
        expect(section.keys).toEqual(keys.map((one) => ({ ...one, value: removed })));
        const again = load(stringify({ providers: { openai: section } }), { REMOVED: "sk-other" }).providers[0];
        expect(again?.keys.map((one) => [one.name, one.weight])).toEqual(keys.map((one) => [one.name, one.weight]));
      }),
      { numRuns: 50 },
    );
  });
});
