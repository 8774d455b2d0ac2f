import { Directory } from "../accounts/directory.ts";
import type { StoreMirror } from "../accounts/store-mirror.ts";
import type { ServedModels } from "../calls/served-models.ts";
import type { Snapshot } from "../calls/snapshot.ts";
import type { Config } from "../config/config.ts";
import type { AttemptRules } from "../config/route.ts";
import type { Model } from "../gen/dragoman/v1/model_pb.js";
import { createCatalog } from "../models/catalog.ts";
import { createPriceList } from "../prices/price-list.ts";
import type { Adapter } from "../providers/adapter.ts";

/** What a reload replaces. */
export interface ConfiguredParts {
  readonly config: Config;
  /** Adapters of the configured providers. Those that a reload does not pass again close after their last call. */
  readonly adapters: readonly Adapter[];
  readonly models: readonly Model[];
}

/** What stays the same in all snapshots. */
export interface LastingParts {
  /** Keys and accounts of the database. Default: there is no database. */
  readonly mirror?: StoreMirror;
  /** Models that servers list. Default: those that the catalog lists are all. */
  readonly served?: ServedModels;
  /** Rules for models that are called by their own names. Default: `plainRules` in config/route.ts. */
  readonly plainRules?: AttemptRules;
}

/** Creates the snapshot (keys, bounds, model catalog and adapters) of a configuration. */
export function createSnapshot({
  config,
  adapters,
  models,
  plainRules,
  mirror,
  served,
}: ConfiguredParts & LastingParts): Snapshot {
  const byName = new Map(adapters.map((adapter) => [adapter.name, adapter]));
  const directory = new Directory(config, mirror);
  const { limits } = config;
  return {
    authenticate: directory.authenticate,
    bounds: {
      maxCallMs: limits.maxCallMs,
      maxRequestMs: limits.maxRequestMs,
      maxCallsPerModel: limits.maxCallsPerModel,
      workers: config.workers,
      maxAnswerBytes: limits.maxAnswerBytes,
      maxValues: limits.maxValues,
      counting: {
        maxQueueBytes: limits.maxCountingQueueBytes,
        maxWorkMs: limits.maxCountingWorkMs,
        maxTimeMs: limits.maxCountingTimeMs,
      },
    },
    directory,
    catalog: createCatalog(
      models,
      adapters.map(({ name }) => name),
      config.providerStatuses,
      config.models,
      config.routes,
    ),
    prices: createPriceList({
      overrides: config.prices,
      dialectOf: (provider) => config.providers.find(({ name }) => name === provider)?.dialect,
      vendorModel: ({ provider, providerModel }) => byName.get(provider)?.vendorModel?.(providerModel),
    }),
    rejectsOptions: limits.providerOptions === "off",
    ...(config.profile && { profile: config.profile }),
    routes: config.routes.map(({ id }) => id).sort(),
    ...(plainRules && { plainRules }),
    ...(served && { served }),
    adapters: byName,
  };
}
