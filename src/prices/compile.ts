import { createHash } from "node:crypto";
import { CostSource } from "../gen/dragoman/v1/usage_pb.js";
import type { ModelPrices, PriceTier, TokenPrices } from "./model-prices.ts";
import type { ServiceTierRow } from "./service-tiers.ts";
import type { DatedPrices, TableModel, TablePrice, TablePrices } from "./table.ts";

/** Prices of a model, and when they apply. */
export interface Period {
  readonly prices: ModelPrices;
  /** Returns whether the prices apply at a time in milliseconds since 1970. */
  appliesAt(time: number): boolean;
}

const always = () => true;

/** Returns the prices at a time: the last period that applies, as @pydantic/genai-prices defines it, else the first. */
export function pricesAt(periods: readonly Period[], time: number): ModelPrices | undefined {
  return (periods.findLast(({ appliesAt }) => appliesAt(time)) ?? periods[0])?.prices;
}

/** Compiles the prices of a row of the price table. */
export function compileRow({ prices }: Pick<TableModel, "prices">, version: string): readonly Period[] {
  const dated: readonly DatedPrices[] = isDated(prices) ? prices : [{ prices }];
  return dated.map(({ constraint, prices: set }) => ({
    appliesAt: constraint === undefined ? always : conditionOf(constraint),
    prices: {
      tiers: compileTiers(set),
      request: picosPerRequest(set.requests_kcount) ?? 0n,
      webSearch: picosPerRequest(set.web_searches_kcount),
      source: CostSource.PRICE_TABLE,
      version,
    },
  }));
}

/**
 * Adds the prices in other service tiers to those of a row. They apply to the periods whose usual prices are those that
 * the tiers were published with.
 */
export function addServiceTiers(
  periods: readonly Period[],
  { usual, tiers }: ServiceTierRow,
  version: string,
): readonly Period[] {
  const [input, output] = usual.map(picosOfDollars);
  return periods.map(({ appliesAt, prices }) => {
    if (prices.tiers[0].input !== input || prices.tiers[0].output !== output) return { appliesAt, prices };
    const { request, webSearch, source } = prices;
    const compiled = Object.entries(tiers).map(
      ([name, set]) => [name, { tiers: compileTiers(set), request, webSearch, source, version }] as const,
    );
    return { appliesAt, prices: { ...prices, serviceTiers: new Map(compiled) } };
  });
}

/**
 * Returns the prices of a model with configured token prices. Prices that the configuration has no keys for stay those
 * of the table: audio, images, fees of requests and of searches.
 */
export function overridePeriods(periods: readonly Period[] | undefined, set: TokenPrices): readonly Period[] {
  const source = CostSource.CONFIGURATION;
  const version = `configuration-${digestOf(set)}`;
  const replaced = periods ?? [{ appliesAt: always, prices: { request: 0n, webSearch: undefined, tiers: undefined } }];
  return replaced.map(({ appliesAt, prices: { request, webSearch, tiers } }) => {
    const { audioInput, imageInput, reasoningOutput, audioOutput, imageOutput } = tiers?.[0] ?? noOthers;
    const tier = { fromInputTokens: 0, ...set, audioInput, imageInput, reasoningOutput, audioOutput, imageOutput };
    return { appliesAt, prices: { tiers: [tier], request, webSearch, source, version } };
  });
}

const noOthers = {
  audioInput: undefined,
  imageInput: undefined,
  reasoningOutput: undefined,
  audioOutput: undefined,
  imageOutput: undefined,
};

function digestOf(set: TokenPrices): string {
  const text = [set.input, set.cachedInput, set.cacheWrite, set.cacheWrite1h, set.output].join(" ");
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}

function isDated(prices: TableModel["prices"]): prices is readonly DatedPrices[] {
  return Array.isArray(prices);
}

function conditionOf(constraint: NonNullable<DatedPrices["constraint"]>): Period["appliesAt"] {
  if (constraint.type === "start_date") {
    const start = Date.parse(constraint.start_date);
    return (time) => time >= start;
  }
  const [start, end] = [timeOfDay(constraint.start_time), timeOfDay(constraint.end_time)];
  return (time) => {
    const now = time % day;
    return start <= end ? start <= now && now < end : start <= now || now < end;
  };
}

const day = 86_400_000;

/** Parses a time of day in UTC, such as `16:30:00Z`. Returns milliseconds. */
function timeOfDay(text: string): number {
  const time = Date.parse(`1970-01-01T${text}`);
  if (!(time >= 0 && time < day)) throw new Error(`the price table has the time ${text}, which is not in UTC`);
  return time;
}

function compileTiers(set: TablePrices): readonly [PriceTier, ...PriceTier[]] {
  const starts = new Set(
    Object.values(set)
      .flatMap(tiersOf)
      .map(({ start }) => start),
  );
  const compile = (start: number): PriceTier => {
    const price = (kind: TablePrice | undefined) => picosPerToken(kind, start);
    const { input_mtok, output_mtok } = set;
    const [input, output] = [price(input_mtok), price(output_mtok)];
    if (input === undefined || output === undefined) throw new Error("the price table has a row without token prices");
    return {
      // The prices of a tier apply above its start.
      fromInputTokens: start + 1,
      input,
      cachedInput: price(set.cache_read_mtok),
      cacheWrite: price(set.cache_write_mtok),
      cacheWrite1h: price(set.cache_write_1h_mtok),
      audioInput: price(set.input_audio_mtok),
      imageInput: price(set.input_image_mtok),
      output,
      reasoningOutput: price(set.output_reasoning_mtok),
      audioOutput: price(set.output_audio_mtok),
      imageOutput: price(set.output_image_mtok),
    };
  };
  return [compile(-1), ...[...starts].sort((a, b) => a - b).map(compile)];
}

const tiersOf = (price: TablePrice) => (typeof price === "number" ? [] : price.tiers);

/** Returns the price of a token in the tier with this start. -1: the first tier. */
function picosPerToken(price: TablePrice | undefined, start: number): bigint | undefined {
  if (price === undefined) return undefined;
  const dollars =
    typeof price === "number" ? price : (price.tiers.findLast((tier) => tier.start <= start)?.price ?? price.base);
  return picosOfDollars(dollars);
}

/** Converts US dollars per million tokens to picodollars per token. */
function picosOfDollars(dollars: number): bigint {
  // Prices have at most 6 decimals, so that this is exact. OpenRouter's twelfths of a dollar are the only exceptions.
  return BigInt(Math.round(dollars * 1e6));
}

/** Converts dollars per thousand requests. */
function picosPerRequest(price: TablePrice | undefined): bigint | undefined {
  if (price === undefined) return undefined;
  return BigInt(Math.round((typeof price === "number" ? price : price.base) * 1e9));
}
