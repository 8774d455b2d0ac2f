import { z } from "zod";
import { highestPrice, type PriceMistake, parsePrice, priceDecimals } from "../prices/picodollars.ts";
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

/** A number that is no decimal in YAML's reading, such as 0.1 + 0.2, or one whose text has an exponent. */
const inexact = ["is a number that YAML does not read exactly", 'quote it, such as "0.10"'] as const;

/** Schema of a price. Returns picodollars per token. */
const price = z.unknown().transform((value, context): bigint => {
  const result = typeof value === "number" ? parsePrice(String(value)) : parsePrice(textOf(value));
  if (typeof result === "bigint") return result;
  const [message, fix] = typeof value === "number" && isInexact(result) ? inexact : mistakes[result];
  context.issues.push({ code: "custom", input: value, message, params: { fix, shown: true } });
  return z.NEVER;
});

const textOf = (value: unknown) => (typeof value === "string" ? value : "");

const isInexact = (mistake: PriceMistake) => mistake === "decimals" || mistake === "exponent";

/** One entry of `prices`. */
export const priceSchema = section({
  input: price,
  cached_input: price.optional(),
  cache_write: price.optional(),
  cache_write_1h: price.optional(),
  output: price,
});
export type PriceSection = z.output<typeof priceSchema>;
