import { create } from "@bufbuild/protobuf";
import { type ModelPrice, ModelPriceSchema } from "../gen/dragoman/v1/model_pb.js";
import type { ModelPrices } from "./model-prices.ts";

/**
 * Returns the prices of a model as ModelService lists them: one entry for each tier of prompt tokens, first those of the
 * usual service tier. Empty if they are unknown.
 */
export function listedPrices(prices: ModelPrices | undefined): ModelPrice[] {
  if (prices === undefined) return [];
  const others = [...(prices.serviceTiers ?? [])].flatMap(([name, ofTier]) => entriesOf(ofTier, name));
  return [...entriesOf(prices, ""), ...others];
}

function entriesOf({ tiers, request, webSearch, version }: ModelPrices, serviceTier: string): ModelPrice[] {
  return tiers.map((tier) =>
    create(ModelPriceSchema, {
      fromInputTokens: tier.fromInputTokens,
      serviceTier,
      inputPicosPerToken: tier.input,
      outputPicosPerToken: tier.output,
      priceVersion: version,
      picosPerRequest: request,
      ...present({
        cachedInputPicosPerToken: tier.cachedInput,
        cacheWritePicosPerToken: tier.cacheWrite,
        cacheWrite1hPicosPerToken: tier.cacheWrite1h,
        audioInputPicosPerToken: tier.audioInput,
        imageInputPicosPerToken: tier.imageInput,
        reasoningOutputPicosPerToken: tier.reasoningOutput,
        audioOutputPicosPerToken: tier.audioOutput,
        imageOutputPicosPerToken: tier.imageOutput,
        picosPerWebSearch: webSearch,
      }),
    }),
  );
}

/** Returns only the known prices: an optional field of a message must not be undefined. */
function present<Name extends string>(
  prices: Readonly<Record<Name, bigint | undefined>>,
): Partial<Record<Name, bigint>> {
  const known = Object.entries<bigint | undefined>(prices).filter(([, price]) => price !== undefined);
  return Object.fromEntries(known) as Partial<Record<Name, bigint>>;
}
