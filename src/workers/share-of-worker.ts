import type { Config } from "../config/config.ts";

/**
 * Returns the configuration of one of several workers: each gets its share of the bounds on what all workers use
 * together, which are the providers and the disk. Bounds on the memory and the connections of a process apply to each
 * worker. `config.workers` divides the limits of profiles, which a request selects (calls/call.ts).
 */
export function shareOfWorker(config: Config, workers: number): Config {
  const { limits, providers, store } = config;
  return Object.freeze({
    ...config,
    limits: {
      ...limits,
      maxCallsPerModel: limits.maxCallsPerModel && shareOf(limits.maxCallsPerModel, workers),
      maxQueuePerProvider: shareOf(limits.maxQueuePerProvider, workers),
    },
    providers: providers.map((settings) => ({
      ...settings,
      maxConnections: shareOf(settings.maxConnections, workers),
      maxQueue: shareOf(settings.maxQueue, workers),
    })),
    store: { ...store, maxOutboxBytes: shareOf(store.maxOutboxBytes, workers) },
  });
}

function shareOf(whole: number, workers: number): number {
  return Math.ceil(whole / workers);
}
