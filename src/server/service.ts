import { setTimeout as delay } from "node:timers/promises";
import { createAuthenticator } from "../accounts/keys.ts";
import { ActiveCalls } from "../calls/active-calls.ts";
import { type Snapshot, Snapshots } from "../calls/snapshot.ts";
import { formatAddress } from "../config/address.ts";
import type { Config } from "../config/config.ts";
import type { Model } from "../gen/dragoman/v1/model_pb.js";
import type { CallObserver } from "../ledger/call-observer.ts";
import { createCatalog } from "../models/catalog.ts";
import type { Adapter } from "../providers/adapter.ts";
import { createSurfaces } from "../surfaces/index.ts";
import { listenGrpc } from "./grpc/listener.ts";
import { listenHttp } from "./http/listener.ts";
import type { Activity } from "./idle-memory.ts";
import type { Services } from "./listener.ts";
import { createChatService } from "./services/chat-service.ts";
import { createModelService } from "./services/model-service.ts";

/** What a service is made of. */
interface ServiceParts {
  readonly config: Config;
  readonly adapters: readonly Adapter[];
  readonly models: readonly Model[];
  readonly observers: readonly CallObserver[];
}

/** A service that answers on both its listeners. */
export interface Service {
  readonly grpcAddress: string;
  readonly httpAddress: string;
  /** What can be asked, ordered by id. */
  readonly models: readonly Model[];
  readonly activity: Activity;
  /**
   * Stops in order: health turns NOT_SERVING, the configured delay passes, new calls are rejected, running ones may end
   * within the grace period, and what is left then ends with UNAVAILABLE.
   */
  stop(): Promise<void>;
  /** Ends every running call at once, so that each has its record before the process exits. */
  abort(): void;
}

/** What a reload of the configuration replaces. */
export function createSnapshot({ config, adapters, models }: Omit<ServiceParts, "observers">): Snapshot {
  return {
    authenticate: createAuthenticator(config.authentication),
    catalog: createCatalog(
      models,
      adapters.map(({ name }) => name),
      config.providerStatuses,
      config.models,
    ),
    adapters: new Map(adapters.map((adapter) => [adapter.name, adapter])),
  };
}

/** Opens both listeners over one implementation. */
export async function startService(parts: ServiceParts): Promise<Service> {
  const { config, observers } = parts;
  const { maxCallMs, maxCallsPerModel, maxRequestBytes } = config.limits;
  const snapshots = new Snapshots(createSnapshot(parts));
  const calls = new ActiveCalls(snapshots, { observers, maxCallMs, maxCallsPerModel });
  const services: Services = {
    calls,
    chat: createChatService(),
    models: createModelService(),
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
  };
  return {
    grpcAddress,
    httpAddress,
    models: snapshots.current.catalog.list(),
    get activity() {
      return calls.activity;
    },
    stop() {
      stopping ??= stop();
      return stopping;
    },
    abort: () => calls.endAll(),
  };
}
