import { z } from "zod";
import { highestPrice, type PriceMistake, parsePrice, priceDecimals } from "../prices/picodollars.ts";
import { describeForms, jsonForms, matching } from "./json-forms.ts";
import { section } from "./rules.ts";

const form = 'write US dollars per million tokens as a quoted decimal number, such as "2.50"';

const mistakes: Readonly<Record<PriceMistake, readonly [problem: string, fix: string]>> = {
  form: ["is not a price", form],
  exponent: ["is a price with an exponent", `${form}, without an exponent`],
  negative: ["is a negative price", `${form}; 0 is free`],
  decimals: [
    `has more than ${priceDecimals} decimals`,
    `write at most ${priceDecimals}: the lowest price is "0.000001", one picodollar per token`,
  ],
  high: [`is more than ${highestPrice} dollars per million tokens`, form],
};

/** For a number that JavaScript writes with an exponent: without quotes, 0.0000001 is 1e-7. */
const unquoted = ["is not a decimal number as YAML reads it", 'quote it, such as "0.10"'] as const;

/** Schema of a price. Returns picodollars per token. */
const price = z.unknown().transform((value, context): bigint => {
  const result = typeof value === "number" ? parsePrice(String(value)) : parsePrice(textOf(value));
  if (typeof result === "bigint") return result;
  const [message, fix] = typeof value === "number" && result === "exponent" ? unquoted : mistakes[result];
  context.issues.push({ code: "custom", input: value, message, params: { fix, shown: true } });
  return z.NEVER;
});
const decimals = matching(`^[0-9]+(?:\\.[0-9]{1,${priceDecimals}}0*)?$`, "2.50");
price.register(jsonForms, describeForms([decimals, { type: "number", minimum: 0, maximum: highestPrice }], form));

const textOf = (value: unknown) => (typeof value === "string" ? value : "");

/** One entry of `prices`. */
export const priceSchema = section({
  input: price,
  cached_input: price.optional(),
  cache_write: price.optional(),
  cache_write_1h: price.optional(),
  output: price,
});
export type PriceSection = z.output<typeof priceSchema>;
