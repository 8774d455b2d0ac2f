import { expect, it } from "vitest";
import { parse } from "yaml";
import { describeConfig } from "../../src/config/describe.ts";
import { load, pathsOf, problemsOf } from "./harness.ts";

const text = (yaml: string) =>
  problemsOf(() => load(yaml)).map(({ path, problem, fix }) => `${path}: ${problem}; ${fix}`);

it("reads prices by id, alias, deployment and provider/model as picodollars per token", () => {
  const { prices } = load(`
deployments: { bot: { model: gpt-4o } }
prices:
  omni: { input: "2.50", cached_input: "1.25", cache_write: "3", cache_write_1h: 4.5, output: "10.00" }
  deployments/bot: { input: 1, output: 2 }
  vllm/org/any-model: { input: "0.000001", output: "0" }
`);
  expect(prices).toEqual([
    {
      name: "omni",
      id: "gpt-4o",
      target: { provider: "openai", providerModel: "gpt-4o" },
      prices: {
        input: 2_500_000n,
        cachedInput: 1_250_000n,
        cacheWrite: 3_000_000n,
        cacheWrite1h: 4_500_000n,
        output: 10_000_000n,
      },
    },
    {
      name: "deployments/bot",
      id: "deployments/bot",
      target: undefined,
      prices: expect.objectContaining({ input: 1_000_000n, output: 2_000_000n, cachedInput: undefined }),
    },
    {
      name: "vllm/org/any-model",
      id: "vllm/org/any-model",
      target: { provider: "vllm", providerModel: "org/any-model" },
      prices: expect.objectContaining({ input: 1n, output: 0n }),
    },
  ]);
});

it("prints prices so that they can be read back", () => {
  const yaml = `
prices:
  gpt-4o: { input: 2.5, cached_input: "1.250", output: "0.0000010" }
  openai/gpt-4o: { input: "12", cache_write: "0.003625", cache_write_1h: "7", output: "1000000" }
`;
  const printed: unknown = parse(describeConfig(load(yaml))).prices;
  expect(printed).toEqual({
    "gpt-4o": { input: "2.50", cached_input: "1.25", output: "0.000001" },
    "openai/gpt-4o": { input: "12.00", cache_write: "0.003625", cache_write_1h: "7.00", output: "1000000.00" },
  });
  expect(load(JSON.stringify({ prices: printed })).prices).toEqual(load(yaml).prices);
});

it.each([
  ['"1e-3"', "is a price with an exponent"],
  ["0.0000001", "1e-7 is not a decimal number as YAML reads it; quote it"],
  ["1e21", "is not a decimal number as YAML reads it; quote it"],
  ["0.30000000000000004", "has more than 6 decimals"],
  ["-1", "is a negative price"],
  ['"-0.5"', "is a negative price"],
  ['"0.0000001"', "has more than 6 decimals"],
  ['"2000000"', "is more than 1000000 dollars per million tokens"],
  ["2e6", "is more than 1000000 dollars per million tokens"],
  ['"$2.50"', "is not a price"],
  ["free", "is not a price"],
  ["true", "is not a price"],
  [".inf", "is not a price"],
  ["[1]", "is not a price"],
])("rejects the price %s with what to write instead", (price, problem) => {
  const [line = "", ...others] = text(`prices: { gpt-4o: { input: ${price}, output: "1" } }`);
  expect(others).toEqual([]);
  expect(line).toContain(`prices.gpt-4o.input: `);
  expect(line).toContain(problem);
  expect(line).toMatch(/; (?:write|quote)/);
});

it("names unknown models with a suggestion, missing prices, unknown keys and two entries for one model", () => {
  expect(text('prices: { gtp-4o: { input: "1", output: "1" } }')).toEqual([
    "prices.gtp-4o: is not the name of a model; did you mean `gpt-4o`?",
  ]);
  expect(text('prices: { deployments/nobody: { input: "1", output: "1" } }')[0]).toMatch(/write the id or an alias/);
  expect(pathsOf('prices: { gpt-4o: { input: "1" } }')).toEqual(["prices.gpt-4o.output"]);
  expect(text('prices: { gpt-4o: { input: "1", output: "1", cache_input: "1" } }')).toEqual([
    "prices.gpt-4o.cache_input: is not a known key; did you mean `cached_input`?",
  ]);
  expect(text('prices: { gpt-4o: { input: "1", output: "1" }, omni: { input: "1", output: "1" } }')).toEqual([
    "prices.omni: is the model of prices.gpt-4o; remove one of them",
  ]);
});
