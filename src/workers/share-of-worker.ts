import type { Config } from "../config/config.ts";

/**
 * Returns the configuration of one of several workers: each gets its share of the bounds that protect providers. Bounds
 * on the memory and the connections of a process apply to each worker.
 */
export function shareOfWorker(config: Config, workers: number): Config {
  const share = (whole: number): number => Math.ceil(whole / workers);
  const { limits, providers } = config;
  return Object.freeze({
    ...config,
    limits: {
      ...limits,
      maxCallsPerModel: limits.maxCallsPerModel && share(limits.maxCallsPerModel),
      maxQueuePerProvider: share(limits.maxQueuePerProvider),
    },
    providers: providers.map((settings) => ({
      ...settings,
      maxConnections: share(settings.maxConnections),
      maxQueue: share(settings.maxQueue),
    })),
  });
}
