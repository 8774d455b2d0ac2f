import type { Model } from "../gen/dragoman/v1/model_pb.js";
import { lookUp } from "../look-up.ts";
import { addServiceTiers, compileRow, overridePeriods, type Period, pricesAt } from "./compile.ts";
import { matches } from "./match.ts";
import { type ModelPrices, type PriceOverride, tierOf } from "./model-prices.ts";
import { ownRows } from "./own-rows.ts";
import { type PricedProvider, pricedProviders } from "./providers.ts";
import { serviceTiersOf, serviceTierTable } from "./service-tiers.ts";
import { priceTable } from "./table.ts";

/** What identifies a model for its prices. */
export type PricedModel = Pick<Model, "id" | "provider" | "providerModel">;

/** How a provider is paid. */
export interface Billing {
  /** Whether it publishes prices. If not, only the configuration can have them, and nobody expects to know a cost. */
  readonly arePricesPublished: boolean;
  /** Whether it states the cost of each response. */
  readonly isCostStated: boolean;
  /** Types of tools that it runs for a fee, without counting how often they ran. Undefined: there are none. */
  readonly uncountedTools: RegExp | undefined;
}

/** Prices of models. */
export interface PriceList {
  /** Returns the prices of a model, at a time (default: now). Undefined: they are unknown. */
  pricesOf(model: PricedModel, at?: Date): ModelPrices | undefined;
  /** Returns how the provider of a model is paid. */
  billingOf(model: PricedModel): Billing;
  /**
   * Returns what a request would cost now in picodollars, without cached tokens, to compare targets. Undefined: the
   * price is unknown, which does not mean that the request costs nothing.
   */
  estimatedCost(model: PricedModel, inputTokens: number, outputTokens: number): bigint | undefined;
}

interface PriceSources {
  /** Prices of the configuration, which replace those of the table. Default: none. */
  readonly overrides?: readonly PriceOverride[];
  /** Returns the dialect of a further provider. Undefined: the provider has the prices of its own name. Default: none. */
  readonly dialectOf?: (provider: string) => string | undefined;
  /**
   * Returns the vendor's name for a model that has a name of the operator's (Azure OpenAI). Undefined: there is none.
   * Default: none.
   */
  readonly vendorModel?: (model: PricedModel) => string | undefined;
}

/** Prices of models that run inside Dragoman. */
const freePeriods = compileRow({ prices: { input_mtok: 0, output_mtok: 0, web_searches_kcount: 0 } }, "free");

/** Maximum models whose row is remembered. Callers can name any model of a provider, so there is no other bound. */
const mostRemembered = 4096;

/** Creates the price list of a configuration. Reads the table at once, and compiles the prices of a model when asked. */
export function createPriceList({ overrides = [], dialectOf, vendorModel }: PriceSources = {}): PriceList {
  const table = priceTable();
  const byId = new Map<string, PriceOverride>();
  const byPath = new Map<string, PriceOverride>();
  for (const override of overrides) {
    byId.set(override.id, override);
    const path = override.target && pathOf(override.target);
    // If two ids have the same provider model and other prices, further names have those of the first.
    if (path !== undefined && !byPath.has(path)) byPath.set(path, override);
  }
  const remembered = new Map<string, readonly Period[] | undefined>();
  /** The same for the models of the catalog, which are the same objects in every call. */
  const ofModels = new WeakMap<PricedModel, { readonly periods: readonly Period[] | undefined }>();

  function periodsOf(model: PricedModel): readonly Period[] | undefined {
    let known = ofModels.get(model);
    if (known === undefined) {
      known = { periods: periodsOfName(model) };
      ofModels.set(model, known);
    }
    return known.periods;
  }

  function periodsOfName(model: PricedModel): readonly Period[] | undefined {
    const override = byId.get(model.id) ?? byPath.get(pathOf(model));
    const key = `${override?.name ?? ""}\n${pathOf(model)}`;
    if (remembered.has(key)) return remembered.get(key);
    const listed = find(model);
    const periods = override === undefined ? listed : overridePeriods(listed, override.prices);
    if (remembered.size >= mostRemembered) remembered.clear();
    remembered.set(key, periods);
    return periods;
  }

  function providerOf({ provider }: PricedModel) {
    return lookUp(pricedProviders.providers, dialectOf?.(provider) ?? provider);
  }

  function find(model: PricedModel): readonly Period[] | undefined {
    const known = providerOf(model);
    if (known === undefined) return undefined;
    if (known.isFree) return freePeriods;
    const vendor = vendorModel?.(model);
    const name = vendor ?? model.providerModel;
    const wholeNames = known.ownNames === true && vendor === undefined;
    const periods = findRow(known, name, wholeNames);
    if (periods === undefined) return undefined;
    const serviceTiers = serviceTiersOf(dialectOf?.(model.provider) ?? model.provider, name, wholeNames);
    return serviceTiers === undefined ? periods : addServiceTiers(periods, serviceTiers, serviceTierTable().version);
  }

  function findRow({ tables }: PricedProvider, model: string, wholeNames: boolean): readonly Period[] | undefined {
    for (const name of tables) {
      const own = lookUp(ownRows.providers[name] ?? {}, model.toLowerCase());
      if (own !== undefined) return own === "unknown" ? undefined : compileRow({ prices: own }, ownRows.version);
      const row = table.providers[name]?.find(({ match }) => matches(match, model, wholeNames));
      if (row !== undefined) return compileRow(row, table.version);
    }
    return undefined;
  }

  function pricesOf(model: PricedModel, at?: Date): ModelPrices | undefined {
    const periods = periodsOf(model);
    return periods && pricesAt(periods, at?.getTime() ?? Date.now());
  }

  return {
    pricesOf,
    billingOf(model) {
      const { tables = [], statesCost = false, uncountedTools } = providerOf(model) ?? {};
      return { arePricesPublished: statesCost || tables.length > 0, isCostStated: statesCost, uncountedTools };
    },
    estimatedCost(model, inputTokens, outputTokens) {
      const prices = pricesOf(model);
      if (prices === undefined) return undefined;
      const { input, output } = tierOf(prices, inputTokens);
      return prices.request + input * count(inputTokens) + output * count(outputTokens);
    },
  };
}

const pathOf = ({ provider, providerModel }: Pick<Model, "provider" | "providerModel">) =>
  `${provider}/${providerModel}`;

/** Estimates can have fractions. */
const count = (tokens: number) => BigInt(Math.ceil(tokens));
