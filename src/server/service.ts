import { setTimeout as delay } from "node:timers/promises";
import { Directory } from "../accounts/directory.ts";
import { CallLimits } from "../accounts/limits/call-limits.ts";
import type { LimitStore } from "../accounts/limits/limit-store.ts";
import { MemoryLimitStore } from "../accounts/limits/memory-store.ts";
import type { StoreMirror } from "../accounts/store-mirror.ts";
import { ActiveCalls } from "../calls/active-calls.ts";
import { createRoutingView } from "../calls/routing-view.ts";
import { type Snapshot, Snapshots } from "../calls/snapshot.ts";
import type { ComponentStates } from "../component-states.ts";
import { formatAddress } from "../config/address.ts";
import type { Config } from "../config/config.ts";
import type { AttemptRules } from "../config/route.ts";
import { AccountService } from "../gen/dragoman/admin/v1/account_service_pb.js";
import { KeyService } from "../gen/dragoman/admin/v1/key_service_pb.js";
import { RoutingService } from "../gen/dragoman/admin/v1/routing_service_pb.js";
import { UsageService } from "../gen/dragoman/admin/v1/usage_service_pb.js";
import { ChatService } from "../gen/dragoman/v1/chat_service_pb.js";
import type { Model } from "../gen/dragoman/v1/model_pb.js";
import { ModelService } from "../gen/dragoman/v1/model_service_pb.js";
import type { CallObserver } from "../ledger/call-observer.ts";
import type { UsageReader } from "../ledger/usage-reader.ts";
import { ByteBudget } from "../load/byte-budget.ts";
import { type LoadBound, LoadGuard } from "../load/load-guard.ts";
import type { Rejections } from "../load/rejections.ts";
import { sampleLoad } from "../load/sample-load.ts";
import { createCatalog } from "../models/catalog.ts";
import { createPriceList } from "../prices/price-list.ts";
import type { Adapter } from "../providers/adapter.ts";
import { LearnedFields } from "../routing/learned-fields.ts";
import { Router } from "../routing/router.ts";
import type { RoutingView } from "../routing/target-view.ts";
import { createSurfaces } from "../surfaces/index.ts";
import { listenGrpc } from "./grpc/listener.ts";
import { listenHttp } from "./http/listener.ts";
import type { Services } from "./listener.ts";
import { createAccountService } from "./services/account-service.ts";
import { createChatService } from "./services/chat-service.ts";
import { createKeyService } from "./services/key-service.ts";
import { createModelService } from "./services/model-service.ts";
import { type MountedService, mountService } from "./services/mounted-service.ts";
import { createRoutingService } from "./services/routing-service.ts";
import { createUsageService } from "./services/usage-service.ts";
import { createTargetHealth } from "./target-health.ts";

/** Parts of a service. */
export interface ServiceParts {
  readonly config: Config;
  readonly adapters: readonly Adapter[];
  readonly models: readonly Model[];
  readonly observers: readonly CallObserver[];
  readonly rejections: Rejections;
  /** Keys and accounts of the database. Default: there is no database. */
  readonly mirror?: StoreMirror;
  /** Bounds beside those on the event loop and the heap, beyond which new calls are rejected. Default: none. */
  readonly loadBounds?: readonly LoadBound[];
  /** State of routing, for RoutingService and health checks of targets. Default: that of this service. */
  readonly routing?: RoutingView;
  /** Rules for models that are called by their own names. Default: `plainRules` in config/route.ts. */
  readonly plainRules?: AttemptRules;
  /** What calls have taken of limits and budgets. The service closes it. Default: in this process. */
  readonly limitStore?: LimitStore;
  /** What UsageService reads. Default: the service has no ledger. */
  readonly ledger?: UsageReader;
  /** State of the components behind the service, for `/readyz`. Default: it has none. */
  readonly components?: ComponentStates;
  /** Services beside Dragoman's own. Default: none. */
  readonly furtherServices?: readonly MountedService[];
}

/** Running service with both listeners open. */
export interface Service {
  readonly grpcAddress: string;
  readonly httpAddress: string;
  /** Models of the catalog, ordered by id. */
  readonly models: readonly Model[];
  /** State of routing. */
  readonly routing: RoutingView;
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
  plainRules,
  mirror,
}: Pick<ServiceParts, "config" | "adapters" | "models" | "plainRules" | "mirror">): Snapshot {
  const byName = new Map(adapters.map((adapter) => [adapter.name, adapter]));
  const directory = new Directory(config, mirror);
  return {
    authenticate: directory.authenticate,
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
    rejectsOptions: config.limits.providerOptions === "off",
    ...(config.profile && { profile: config.profile }),
    routes: config.routes.map(({ id }) => id).sort(),
    ...(plainRules && { plainRules }),
    adapters: byName,
  };
}

/** Starts the service: opens the gRPC and the HTTP listener. */
export async function startService(parts: ServiceParts): Promise<Service> {
  const {
    config,
    observers,
    rejections,
    loadBounds = [],
    furtherServices = [],
    limitStore = new MemoryLimitStore(),
  } = parts;
  const { limits } = config;
  const { maxCallMs, maxRequestMs, maxCallsPerModel, maxRequestBytes, maxAnswerBytes, maxValues } = limits;
  const snapshots = new Snapshots(createSnapshot(parts));
  const learned = new LearnedFields();
  const router = new Router({ breaker: config.breaker, learned });
  const { routing = createRoutingView(router, snapshots) } = parts;
  const accountLimits = new CallLimits(limitStore);
  const load = sampleLoad(limits);
  const guard = new LoadGuard([...load.bounds, ...loadBounds], rejections);
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
      learned,
      router,
      limits: accountLimits,
    },
    guard,
  );
  const services: Services = {
    calls,
    mounted: [
      mountService(ChatService, createChatService()),
      mountService(ModelService, createModelService()),
      mountService(RoutingService, createRoutingService(routing)),
      mountService(KeyService, createKeyService(parts.mirror)),
      mountService(AccountService, createAccountService(parts.mirror, accountLimits)),
      mountService(UsageService, createUsageService(parts.ledger)),
      ...furtherServices,
    ],
    targetHealth: createTargetHealth(routing, snapshots),
    rejections,
    components: parts.components,
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
    await limitStore.close();
    load.stop();
    rejections.flush();
  };
  return {
    grpcAddress,
    httpAddress,
    models: snapshots.current.catalog.list(),
    routing,
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
