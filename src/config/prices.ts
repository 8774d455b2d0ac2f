import type { Model } from "../gen/dragoman/v1/model_pb.js";
import type { ConfiguredModel } from "../models/configured-model.ts";
import { deploymentId, findModel, indexModels } from "../models/find-model.ts";
import { nearest } from "../nearest.ts";
import type { PriceOverride } from "../prices/model-prices.ts";
import { formatPrice } from "../prices/picodollars.ts";
import type { ReportProblem } from "./config-error.ts";
import type { PriceSection } from "./price-schema.ts";

interface PriceSources {
  /** Built-in models of the catalog. */
  readonly listed: readonly Model[];
  /** Resolved `models` and `deployments`. */
  readonly models: readonly ConfiguredModel[];
  /** Names of all known providers, configured or not. */
  readonly providers: readonly string[];
  readonly section: Readonly<Record<string, PriceSection>>;
}

/**
 * Resolves the `prices` entries of the file. Each names a model as a request does: by its id, an alias,
 * `deployments/<id>` or `provider/model`. Reports unknown names and two entries for one model.
 */
export function resolvePrices(
  { listed, models, providers, section }: PriceSources,
  report: ReportProblem,
): readonly PriceOverride[] {
  const configured = models.map(({ model }) => model);
  const changed = new Set(configured.map(({ id }) => id));
  const entries = [...configured, ...listed.filter(({ id }) => !changed.has(id))];
  const index = indexModels(entries, listed);
  const names = new Map<string, string>();
  return Object.entries(section).flatMap(([name, entry]) => {
    const model = findModel(index, name, providers);
    if (model === undefined) {
      const [candidate] = nearest(name, [...index.byName.keys(), ...index.byPath.keys()], 1);
      const fix =
        candidate === undefined
          ? "write the id or an alias of a model, deployments/<id>, or provider/model with a known provider"
          : `did you mean \`${candidate}\`?`;
      report(`prices.${name}`, "is not the name of a model", fix);
      return [];
    }
    const { id, provider, providerModel } = model;
    const other = names.get(id);
    if (other !== undefined) report(`prices.${name}`, `is the model of prices.${other}`, "remove one of them");
    names.set(id, name);
    const target = deploymentId(id) === undefined ? { provider, providerModel } : undefined;
    const { input, cached_input: cachedInput, cache_write: cacheWrite, cache_write_1h: cacheWrite1h, output } = entry;
    return [{ name, id, target, prices: { input, cachedInput, cacheWrite, cacheWrite1h, output } }];
  });
}

/** Describes the section `prices`, as the file has it. */
export function describePrices(overrides: readonly PriceOverride[]) {
  const format = (picos: bigint | undefined) => (picos === undefined ? undefined : formatPrice(picos));
  return Object.fromEntries(
    overrides.map(({ name, prices }) => [
      name,
      {
        input: formatPrice(prices.input),
        cached_input: format(prices.cachedInput),
        cache_write: format(prices.cacheWrite),
        cache_write_1h: format(prices.cacheWrite1h),
        output: formatPrice(prices.output),
      },
    ]),
  );
}
