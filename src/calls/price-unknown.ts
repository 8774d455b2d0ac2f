import type { Model } from "../gen/dragoman/v1/model_pb.js";
import type { Warning } from "../gen/dragoman/v1/warning_pb.js";
import type { PriceList } from "../prices/price-list.ts";

/** Returns the warning that the cost of a response is unknown. `what`: that which has no known price. */
export function priceUnknown(what: string): Warning {
  const message = `Dragoman knows no price for ${what}, so usage.cost is unset`;
  return { $typeName: "dragoman.v1.Warning", reason: "PRICE_UNKNOWN", field: "", message };
}

/**
 * Returns the warning of a call of a model whose price is unknown. Undefined if the price is known, if the provider
 * states the cost with its response, or if it publishes no prices: operators run such a server themselves, and a warning
 * about each response would tell them nothing.
 */
export function warningOfPrice(model: Model, prices: PriceList | undefined): Warning | undefined {
  if (prices === undefined || prices.pricesOf(model) !== undefined) return undefined;
  const { arePricesPublished, isCostStated } = prices.billingOf(model);
  return arePricesPublished && !isCostStated ? priceUnknown(model.id) : undefined;
}
