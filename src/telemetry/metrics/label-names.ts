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

type NamesIn = Pick<Config, "listedModels" | "models" | "routes" | "providerStatuses">;

/** Label names that a reload of the configuration can add to. Calls in progress may still use the former names. */
export interface GrowingLabelNames extends LabelNames {
  add(config: NamesIn): void;
}

export function createLabelNames(config: NamesIn): GrowingLabelNames {
  const labels = new Map<string, string>();
  const targets = new Set<string>();
  const providers = new Set<string>();
  const knownReasons: ReadonlySet<string> = new Set(Object.keys(reasons));
  const isEmpty = (name: string) => name === "";
  const names: GrowingLabelNames = {
    model: (name) => (isEmpty(name) ? name : (labels.get(name) ?? otherName)),
    provider: (name) => (isEmpty(name) || providers.has(name) ? name : otherName),
    target: (name) => (targets.has(name) ? name : otherName),
    reason: (name) => (isEmpty(name) || knownReasons.has(name) ? name : otherName),
    add({ listedModels, models, routes, providerStatuses }) {
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
      for (const { name } of providerStatuses) providers.add(name);
    },
  };
  names.add(config);
  return names;
}
