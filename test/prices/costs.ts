import type { Cost, Usage } from "../../src/gen/dragoman/v1/usage_pb.js";
import { chargeOf, type PicoCost, toCost } from "../../src/prices/cost.ts";
import type { ModelPrices } from "../../src/prices/model-prices.ts";

/** Returns the cost of one upstream request. Undefined: it is unknown. */
export function costOf(usage: Usage, prices: ModelPrices | undefined, serviceTier?: string): Cost | undefined {
  const charge = chargeOf(usage, prices, serviceTier);
  return "unknown" in charge ? undefined : toCost(charge);
}

/** Returns the exact cost of one upstream request, which must be known. */
export function picosOf(usage: Usage, prices: ModelPrices): PicoCost {
  const charge = chargeOf(usage, prices);
  if ("unknown" in charge) throw new Error(`no known price: ${charge.unknown}`);
  return charge.picos;
}
