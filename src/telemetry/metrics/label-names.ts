import type { Config } from "../../config/config.ts";
import { reasons } from "../../errors.ts";

/** Label of everything that is not known in advance, so that callers cannot create labels. */
export const otherName = "other";

/** Values that labels can have: names in the configuration and the model catalog. */
export interface LabelNames {
  /** Returns the label of a model, or of a route. An alias has the label of its model. */
  model(name: string): string;
  provider(name: string): string;
  /** Returns the label of a target, `provider/model`. */
  target(name: string): string;
  reason(name: string): string;
}

export function createLabelNames({
  listedModels,
  models,
  routes,
  providerStatuses,
}: Pick<Config, "listedModels" | "models" | "routes" | "providerStatuses">): LabelNames {
  const labels = new Map<string, string>();
  const targets = new Set<string>();
  const all = [...listedModels, ...models.map(({ model }) => model)];
  for (const { id, aliases } of all) {
    for (const alias of aliases) labels.set(alias, id);
  }
  for (const { id, provider, providerModel } of all) {
    const path = `${provider}/${providerModel}`;
    labels.set(id, id);
    if (!labels.has(path)) labels.set(path, path);
    targets.add(path);
  }
  for (const { id, tiers } of routes) {
    labels.set(id, id);
    for (const { model } of tiers.flatMap((tier) => tier.targets)) {
      labels.set(model, labels.get(model) ?? model);
      targets.add(model);
    }
  }
  const providers = new Set(providerStatuses.map(({ name }) => name));
  const knownReasons: ReadonlySet<string> = new Set(Object.keys(reasons));
  const isEmpty = (name: string) => name === "";
  return {
    model: (name) => (isEmpty(name) ? name : (labels.get(name) ?? otherName)),
    provider: (name) => (isEmpty(name) || providers.has(name) ? name : otherName),
    target: (name) => (targets.has(name) ? name : otherName),
    reason: (name) => (isEmpty(name) || knownReasons.has(name) ? name : otherName),
  };
}
