import { type Cost, CostSource, type Usage } from "../gen/dragoman/v1/usage_pb.js";
import { type Charge, chargeOf, type KnownCost, type PicoCost, toCost } from "./cost.ts";
import type { PricedModel, PriceList } from "./price-list.ts";

/** What the upstream requests of one call cost. */
export class Bill {
  readonly #prices: PriceList | undefined;
  readonly #at: Date;
  readonly #known: KnownCost[] = [];
  /** Rounded cost of the first upstream request. Most calls have no other. */
  #firstCost: Cost | undefined;
  readonly #unknown: string[] = [];
  #isComplete = true;

  /**
   * @param prices Undefined: all prices are unknown.
   * @param at time of the call, at which the prices apply
   */
  constructor(prices: PriceList | undefined, at: Date) {
    this.#prices = prices;
    this.#at = at;
  }

  /**
   * Adds an upstream request to the bill. Returns its usage with its cost, which is unset if it is unknown.
   *
   * @param serviceTier tier in which the provider served the request. Empty: the usual one
   * @param tools types of the tools in the request that the provider runs
   */
  charge(model: PricedModel, usage: Usage, serviceTier: string, tools: readonly string[] = []): Usage {
    const charge = this.#chargeOf(model, usage, serviceTier, tools);
    if ("unknown" in charge) {
      this.#isComplete = false;
      const what = charge.unknown === "" ? model.id : `${charge.unknown} of ${model.id}`;
      if (this.#prices?.billingOf(model).arePricesPublished) this.#unknown.push(what);
      return withoutCost(usage);
    }
    this.#known.push(charge);
    const cost = toCost(charge);
    this.#firstCost ??= cost;
    return { ...usage, cost };
  }

  #chargeOf(model: PricedModel, usage: Usage, serviceTier: string, tools: readonly string[]): Charge {
    const charge = chargeOf(usage, this.#prices?.pricesOf(model, this.#at), serviceTier);
    if (tools.length === 0 || "unknown" in charge || charge.source === CostSource.PROVIDER) return charge;
    const uncounted = tools.find((type) => this.#prices?.billingOf(model).uncountedTools?.test(type));
    return uncounted === undefined ? charge : { unknown: `the tool ${uncounted}` };
  }

  /** Returns the usage of the call with the cost of all its upstream requests, if it is known for each of them. */
  total(usage: Usage): Usage {
    if (this.#firstCost === undefined || !this.#isComplete) return withoutCost(usage);
    const cost = this.#known.length === 1 ? this.#firstCost : toCost(this.#known.reduce(add));
    return { ...usage, cost };
  }

  /**
   * What has no known price, although the provider publishes prices. The entries name the model too. Empty: there is
   * nothing to report.
   */
  get unknown(): readonly string[] {
    return this.#unknown;
  }
}

function withoutCost(usage: Usage): Usage {
  if (usage.cost === undefined) return usage;
  const { cost: _, ...rest } = usage;
  return rest;
}

/** Adds two costs. If providers state only some of them, these are in `other`, so that the parts add up to the total. */
function add(a: KnownCost, b: KnownCost): KnownCost {
  if (a.source === CostSource.PROVIDER && b.source === CostSource.PROVIDER) {
    return { ...a, picos: sum(a.picos, b.picos) };
  }
  const versions = new Set([...a.version.split(separator), ...b.version.split(separator)].filter(Boolean));
  return {
    picos: sum(inParts(a), inParts(b)),
    source: [a.source, b.source].includes(CostSource.PRICE_TABLE) ? CostSource.PRICE_TABLE : CostSource.CONFIGURATION,
    version: [...versions].sort().join(separator),
  };
}

const separator = ", ";

function inParts({ picos, source }: KnownCost): PicoCost {
  return source === CostSource.PROVIDER ? { ...picos, other: picos.total } : picos;
}

function sum(a: PicoCost, b: PicoCost): PicoCost {
  return {
    input: a.input + b.input,
    cachedInput: a.cachedInput + b.cachedInput,
    cacheWrite: a.cacheWrite + b.cacheWrite,
    output: a.output + b.output,
    other: a.other + b.other,
    total: a.total + b.total,
  };
}
