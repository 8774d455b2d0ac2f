import { setTimeout as delay } from "node:timers/promises";
import { createAuthenticator } from "../accounts/keys.ts";
import { ActiveCalls } from "../calls/active-calls.ts";
import { type Snapshot, Snapshots } from "../calls/snapshot.ts";
import { formatAddress } from "../config/address.ts";
import type { Config } from "../config/config.ts";
import { ChatService } from "../gen/dragoman/v1/chat_service_pb.js";
import type { Model } from "../gen/dragoman/v1/model_pb.js";
import { ModelService } from "../gen/dragoman/v1/model_service_pb.js";
import type { CallObserver } from "../ledger/call-observer.ts";
import { ByteBudget } from "../load/byte-budget.ts";
import { LoadGuard } from "../load/load-guard.ts";
import type { Rejections } from "../load/rejections.ts";
import { sampleLoad } from "../load/sample-load.ts";
import { createCatalog } from "../models/catalog.ts";
import { createPriceList } from "../prices/price-list.ts";
import type { Adapter } from "../providers/adapter.ts";
import { createSurfaces } from "../surfaces/index.ts";
import { listenGrpc } from "./grpc/listener.ts";
import { listenHttp } from "./http/listener.ts";
import type { Services } from "./listener.ts";
import { createChatService } from "./services/chat-service.ts";
import { createModelService } from "./services/model-service.ts";
import { type MountedService, mountService } from "./services/mounted-service.ts";

/** Parts of a service. */
interface ServiceParts {
  readonly config: Config;
  readonly adapters: readonly Adapter[];
  readonly models: readonly Model[];
  readonly observers: readonly CallObserver[];
  readonly rejections: Rejections;
  /** Services beside ChatService and ModelService. Default: none. */
  readonly furtherServices?: readonly MountedService[];
}

/** Running service with both listeners open. */
export interface Service {
  readonly grpcAddress: string;
  readonly httpAddress: string;
  /** Models of the catalog, ordered by id. */
  readonly models: readonly Model[];
  /**
   * Shuts down in this order: sets health to NOT_SERVING, waits for the configured delay, rejects new calls, waits up
   * to the grace period for calls in progress, and ends the remaining calls with UNAVAILABLE.
   */
  stop(): Promise<void>;
  /** Ends every call in progress at once, so that each writes its record before the process exits. */
  abort(): void;
}

/** Creates the snapshot (keys, model catalog and adapters) of a configuration. */
export function createSnapshot({
  config,
  adapters,
  models,
}: Omit<ServiceParts, "observers" | "rejections" | "furtherServices">): Snapshot {
  const byName = new Map(adapters.map((adapter) => [adapter.name, adapter]));
  return {
    authenticate: createAuthenticator(config.authentication),
    catalog: createCatalog(
      models,
      adapters.map(({ name }) => name),
      config.providerStatuses,
      config.models,
    ),
    prices: createPriceList({
      overrides: config.prices,
      vendorModel: ({ provider, providerModel }) => byName.get(provider)?.vendorModel?.(providerModel),
    }),
    rejectsOptions: config.limits.providerOptions === "off",
    ...(config.profile && { profile: config.profile }),
    adapters: byName,
  };
}

/** Starts the service: opens the gRPC and the HTTP listener. */
export async function startService(parts: ServiceParts): Promise<Service> {
  const { config, observers, rejections, furtherServices = [] } = parts;
  const { limits } = config;
  const { maxCallMs, maxRequestMs, maxCallsPerModel, maxRequestBytes, maxAnswerBytes, maxValues } = limits;
  const snapshots = new Snapshots(createSnapshot(parts));
  const load = sampleLoad(limits);
  const guard = new LoadGuard(load.bounds, rejections);
  const calls = new ActiveCalls(
    snapshots,
    {
      observers,
      maxCallMs,
      maxRequestMs,
      maxCallsPerModel,
      maxAnswerBytes,
      maxValues,
      counting: {
        maxQueueBytes: limits.maxCountingQueueBytes,
        maxWorkMs: limits.maxCountingWorkMs,
        maxTimeMs: limits.maxCountingTimeMs,
      },
      requestBytes: new ByteBudget(limits.maxBytesInFlight),
    },
    guard,
  );
  const services: Services = {
    calls,
    mounted: [
      mountService(ChatService, createChatService()),
      mountService(ModelService, createModelService()),
      ...furtherServices,
    ],
    rejections,
    surfaces: createSurfaces({ calls, maxRequestBytes, streamHeadersAfterMs: config.http.streamHeadersAfterMs }),
  };
  const listeners = await Promise.all([listenGrpc(config, services), listenHttp(config, services)]);
  const [grpcAddress = "", httpAddress = ""] = listeners.map(({ address }) => formatAddress(address));
  let stopping: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    for (const listener of listeners) listener.stopReady();
    if (config.shutdown.delayMs > 0) await delay(config.shutdown.delayMs);
    for (const listener of listeners) listener.rejectNew();
    const grace = new AbortController();
    await Promise.race([
      calls.idle(),
      delay(config.shutdown.graceMs, undefined, { signal: grace.signal }).catch(() => undefined),
    ]);
    grace.abort();
    calls.endAll();
    await Promise.all(listeners.map((listener) => listener.close()));
    await snapshots.close();
    load.stop();
    rejections.flush();
  };
  return {
    grpcAddress,
    httpAddress,
    models: snapshots.current.catalog.list(),
    stop() {
      stopping ??= stop();
      return stopping;
    },
    abort() {
      calls.endAll();
      rejections.flush();
    },
  };
}
