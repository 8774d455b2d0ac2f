import { equals } from "@bufbuild/protobuf";
import { type Model, type ModelPrice, ModelPriceSchema } from "../gen/dragoman/v1/model_pb.js";

/**
 * Describes a route from the descriptions of its targets: with what each of them supports, whichever serves a call. The
 * profile is that of a call at the first target.
 */
export function describeRoute(route: Model, targets: readonly Model[]): Model {
  const { maxTemperature: _, ...rest } = route;
  const temperatures = targets.flatMap(({ maxTemperature }) => maxTemperature ?? []);
  return {
    ...rest,
    ...(temperatures.length === targets.length && { maxTemperature: Math.min(...temperatures) }),
    profile: targets[0]?.profile ?? route.profile,
    reasoningEfforts: ofAll(targets.map(({ reasoningEfforts }) => reasoningEfforts)),
    supportedParameters: ofAll(targets.map(({ supportedParameters }) => supportedParameters)),
    inputModalities: ofAll(targets.map(({ inputModalities }) => inputModalities)),
    outputModalities: ofAll(targets.map(({ outputModalities }) => outputModalities)),
    prices: pricesOfAll(targets),
    deploymentParameters: ofAll(
      targets.map(({ deploymentParameters }) => deploymentParameters),
      (one, other) => one.name === other.name && one.type === other.type,
    ),
  };
}

/** Returns the prices of the first target if every target has the same. */
function pricesOfAll([first, ...others]: readonly Model[]): ModelPrice[] {
  const prices = first?.prices ?? [];
  const isSame = (other: Model) =>
    other.prices.length === prices.length &&
    other.prices.every((price, index) => equals(ModelPriceSchema, price, prices[index] ?? price));
  return others.every(isSame) ? prices : [];
}

/** Returns the items that are in every list, in the order of the first. */
function ofAll<Item>(
  [first = [], ...others]: readonly (readonly Item[])[],
  isSame: (one: Item, other: Item) => boolean = Object.is,
): Item[] {
  return first.filter((item) => others.every((list) => list.some((other) => isSame(item, other))));
}
