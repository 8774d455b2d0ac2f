import { setTimeout as delay } from "node:timers/promises";
import { CallLimits } from "../accounts/limits/call-limits.ts";
import type { LimitStore } from "../accounts/limits/limit-store.ts";
import { MemoryLimitStore } from "../accounts/limits/memory-store.ts";
import { ActiveCalls } from "../calls/active-calls.ts";
import { createRoutingView } from "../calls/routing-view.ts";
import { ServedModels } from "../calls/served-models.ts";
import { Snapshots } from "../calls/snapshot.ts";
import type { ComponentStates } from "../component-states.ts";
import { formatAddress } from "../config/address.ts";
import { reportExposure } from "../config/authentication.ts";
import type { Config } from "../config/config.ts";
import { ConfigError, type ConfigProblem } from "../config/config-error.ts";
import { AccountService } from "../gen/dragoman/admin/v1/account_service_pb.js";
import { KeyService } from "../gen/dragoman/admin/v1/key_service_pb.js";
import { RoutingService } from "../gen/dragoman/admin/v1/routing_service_pb.js";
import { UsageService } from "../gen/dragoman/admin/v1/usage_service_pb.js";
import { ChatService } from "../gen/dragoman/v1/chat_service_pb.js";
import { EmbeddingService } from "../gen/dragoman/v1/embedding_service_pb.js";
import type { Model } from "../gen/dragoman/v1/model_pb.js";
import { ModelService } from "../gen/dragoman/v1/model_service_pb.js";
import { TokenService } from "../gen/dragoman/v1/token_service_pb.js";
import type { CallObserver } from "../ledger/call-observer.ts";
import type { CallTracer } from "../ledger/call-tracer.ts";
import type { UsageReader } from "../ledger/usage-reader.ts";
import { ByteBudget } from "../load/byte-budget.ts";
import { type LoadBound, LoadGuard } from "../load/load-guard.ts";
import type { Rejections } from "../load/rejections.ts";
import { sampleLoad } from "../load/sample-load.ts";
import { LearnedFields } from "../routing/learned-fields.ts";
import { Router } from "../routing/router.ts";
import type { RoutingView } from "../routing/target-view.ts";
import { type ConfiguredParts, createSnapshot, type LastingParts } from "./create-snapshot.ts";
import { listenGrpc } from "./grpc/listener.ts";
import { listenHttp } from "./http/listener.ts";
import { listenMetrics, type MetricsListener } from "./http/metrics-page.ts";
import { handoverMs, type Listener, type MetricsPage, type Services } from "./listener.ts";
import { createAccountService } from "./services/account-service.ts";
import { createChatService } from "./services/chat-service.ts";
import { createEmbeddingService } from "./services/embedding-service.ts";
import { createKeyService } from "./services/key-service.ts";
import { createModelService } from "./services/model-service.ts";
import { type MountedService, mountService } from "./services/mounted-service.ts";
import { createRoutingService } from "./services/routing-service.ts";
import { createTokenService } from "./services/token-service.ts";
import { createUsageService } from "./services/usage-service.ts";
import { createTargetHealth } from "./target-health.ts";

/** Parts of a service. */
export interface ServiceParts extends ConfiguredParts, LastingParts {
  readonly observers: readonly CallObserver[];
  /** Makes spans of calls. Default: calls are not traced. */
  readonly tracer?: CallTracer | undefined;
  /** Page `/metrics`. Default: there is none. */
  readonly metricsPage?: MetricsPage;
  readonly rejections: Rejections;
  /** Bounds beside those on the event loop and the heap, beyond which new calls are rejected. Default: none. */
  readonly loadBounds?: readonly LoadBound[];
  /** State of routing, for RoutingService and health checks of targets. Default: that of this service. */
  readonly routing?: RoutingView;
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
  /** Address of the page `/metrics`. Undefined: there is none. */
  readonly metricsAddress: string | undefined;
  /** Models of the catalog when the service started, ordered by id. */
  readonly models: readonly Model[];
  /** State of routing. */
  readonly routing: RoutingView;
  /** Returns the maximum lag of the event loop in the last 15 seconds, in milliseconds. */
  recentLagMs(): number;
  /** Returns the number of calls that have begun, also if they were rejected at once, and of those in progress. */
  calls(): { readonly begun: number; readonly inProgress: number };
  /**
   * Shuts down in this order: sets health to NOT_SERVING, waits for the configured delay, rejects new calls, waits up
   * to the grace period for calls in progress, and ends the remaining calls with UNAVAILABLE.
   *
   * @param isHandover whether another process has the listeners, and takes over without a failed call. Default false
   */
  stop(isHandover?: boolean): Promise<void>;
  /** Ends every call in progress at once, so that each writes its record before the process exits. */
  abort(): void;
}

/** Service whose configuration can be replaced while it runs. */
export interface ReloadableService extends Service {
  /**
   * Replaces the configuration: for later calls and connections, and for the process what applies at once
   * (config/reload-rules.ts). Addresses, and whether a listener has TLS, do not change. Calls in progress go on as they
   * began. Throws ConfigError, and changes nothing, if callers on other machines would need no key. Returns the number of
   * the configuration.
   */
  reload(parts: ConfiguredParts): number;
}

/** Starts the service: opens the gRPC and the HTTP listener. */
export async function startService(given: ServiceParts): Promise<ReloadableService> {
  const { served = new ServedModels() } = given;
  const parts = { ...given, served };
  const {
    observers,
    tracer,
    metricsPage,
    rejections,
    loadBounds = [],
    furtherServices = [],
    limitStore = new MemoryLimitStore(),
  } = parts;
  let { config } = parts;
  const snapshots = new Snapshots(createSnapshot(parts));
  const learned = new LearnedFields();
  const router = new Router({ breaker: config.breaker, learned });
  snapshots.onChange(() => {
    const { adapters, routes = [] } = snapshots.current;
    router.forgetAll((provider, baseUrl) => {
      const adapter = adapters.get(provider);
      return adapter !== undefined && adapter.baseUrl === baseUrl;
    }, routes);
  });
  const { routing = createRoutingView(router, snapshots) } = parts;
  const accountLimits = new CallLimits(limitStore);
  const load = sampleLoad(config.limits);
  const requestBytes = new ByteBudget(config.limits.maxBytesInFlight);
  const guard = new LoadGuard([...load.bounds, ...loadBounds], rejections);
  const calls = new ActiveCalls(
    snapshots,
    {
      observers: tracer === undefined ? observers : [...observers, tracer],
      tracer,
      requestBytes,
      learned,
      router,
      limits: accountLimits,
    },
    guard,
  );
  const services: Services = {
    calls,
    generation: () => snapshots.generation,
    mounted: [
      mountService(ChatService, createChatService()),
      mountService(EmbeddingService, createEmbeddingService()),
      mountService(TokenService, createTokenService()),
      mountService(ModelService, createModelService()),
      mountService(RoutingService, createRoutingService(routing)),
      mountService(KeyService, createKeyService(parts.mirror)),
      mountService(AccountService, createAccountService(parts.mirror, accountLimits)),
      mountService(UsageService, createUsageService(parts.ledger)),
      ...furtherServices,
    ],
    targetHealth: createTargetHealth(routing, snapshots),
    rejections,
    ...(metricsPage && config.telemetry.metricsAddress === undefined && { metricsPage }),
    components: parts.components,
  };
  // In this order, so that workers which listen on free ports get the same ones.
  const listeners: Listener[] = [];
  let metricsListener: MetricsListener | undefined;
  try {
    const grpc = await listenGrpc(config, services);
    listeners.push(grpc);
    listeners.push(await listenHttp(config, services, grpc.address));
    const { metricsAddress } = config.telemetry;
    if (metricsPage && metricsAddress) metricsListener = await listenMetrics(config, metricsAddress, metricsPage);
  } catch (error) {
    // Open listeners would keep the process alive.
    for (const listener of listeners) listener.rejectNew();
    await Promise.all(listeners.map((listener) => listener.close()));
    load.stop();
    await snapshots.close();
    throw error;
  }
  const [grpcAddress = "", httpAddress = ""] = listeners.map(({ address }) => formatAddress(address));
  const reload = (next: ConfiguredParts): number => {
    requireKeys(next.config, listeners);
    const snapshot = createSnapshot({ ...parts, ...next });
    const commits = listeners.map((listener) => listener.prepare(next.config));
    // Nothing below throws, so that no reload applies in part.
    config = next.config;
    for (const commit of commits) commit();
    metricsListener?.setConfig(config);
    load.setLimits(config.limits);
    requestBytes.max = config.limits.maxBytesInFlight;
    router.setBreaker(config.breaker);
    snapshots.replace(snapshot);
    return snapshots.generation;
  };
  let stopping: Promise<void> | undefined;
  const stop = async (isHandover: boolean): Promise<void> => {
    if (isHandover) {
      for (const listener of listeners) listener.handOver();
      await delay(handoverMs);
    } else {
      for (const listener of listeners) listener.stopReady();
      if (config.shutdown.delayMs > 0) await delay(config.shutdown.delayMs);
    }
    for (const listener of listeners) listener.rejectNew();
    const grace = new AbortController();
    await Promise.race([
      calls.idle(),
      delay(config.shutdown.graceMs, undefined, { signal: grace.signal }).catch(() => undefined),
    ]);
    grace.abort();
    calls.endAll();
    await Promise.all(listeners.map((listener) => listener.close()));
    await metricsListener?.close();
    served.close();
    await snapshots.close();
    await limitStore.close();
    load.stop();
    rejections.flush();
  };
  return {
    grpcAddress,
    httpAddress,
    metricsAddress: metricsListener ? formatAddress(metricsListener.address) : metricsPage && httpAddress,
    models: snapshots.current.catalog.list(),
    routing,
    reload,
    recentLagMs: load.recentLagMs,
    calls: () => ({ begun: calls.begun, inProgress: calls.inProgress }),
    stop(isHandover = false) {
      stopping ??= stop(isHandover);
      return stopping;
    },
    abort() {
      calls.endAll();
      rejections.flush();
    },
  };
}

/** Throws ConfigError if callers would need no key, and other machines can reach a listener at its present address. */
function requireKeys({ authentication }: Config, listeners: readonly Listener[]): void {
  const problems: ConfigProblem[] = [];
  for (const [index, { address }] of listeners.entries()) {
    const path = index === 0 ? "grpc.address" : "http.address";
    reportExposure(authentication.mode, path, address, (...[at, problem, fix]) => {
      problems.push({ path: at, problem: `${problem}, until a restart`, fix });
    });
  }
  if (problems.length > 0) throw new ConfigError(problems);
}
