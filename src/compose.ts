import { setTimeout as delay } from "node:timers/promises";
import type { LimitStore } from "./accounts/limits/limit-store.ts";
import type { PastSpending } from "./accounts/limits/past-spending.ts";
import { RememberingLimitStore } from "./accounts/limits/remembering-store.ts";
import { Adapters, loadAdapters } from "./adapters.ts";
import { ServedModels } from "./calls/served-models.ts";
import { changesBetween, restartKeys } from "./config/changes.ts";
import type { Config, StoreSettings } from "./config/config.ts";
import { ConfigError } from "./config/config-error.ts";
import { withFixed } from "./config/reload-rules.ts";
import type { RedisSettings } from "./config/state.ts";
import { followAccounts } from "./follow-accounts.ts";
import { followSpending } from "./follow-spending.ts";
import { describeError } from "./ledger/describe-error.ts";
import { type Ledger, openLedger } from "./ledger/ledger.ts";
import { Rejections } from "./load/rejections.ts";
import type { Reloaded } from "./reload/reloader.ts";
import type { RoutingView } from "./routing/target-view.ts";
import { type Service, startService } from "./server/service.ts";
import type { RedisLimitStore } from "./state/redis-limit-store.ts";
import { createStoreThread } from "./store-thread.ts";
import { describeSystemCode } from "./system-error.ts";
import { createCallLog } from "./telemetry/call-log.ts";
import type { Log } from "./telemetry/log.ts";
import { createProviderFailureLog } from "./telemetry/provider-failures.ts";
import { createRejectionCount } from "./telemetry/rejection-count.ts";
import { SampledLog } from "./telemetry/sampled-log.ts";
import { logStateChanges } from "./telemetry/state-changes.ts";
import { openTelemetry } from "./telemetry/telemetry.ts";
import { watchComponents } from "./watch-components.ts";
import { ShareStore } from "./workers/limits/share-store.ts";
import { remoteModels } from "./workers/models/remote-models.ts";
import type { WorkerLink } from "./workers/worker.ts";

/** Time in ms that the shutdown takes at most for shipping the outbox. What is left then is shipped by another process. */
const longestShippingMs = 5_000;

/** The service with everything that it is composed of. */
export interface ComposedService extends Service {
  /**
   * Replaces the configuration, whose adapters are loaded, but for what needs a restart. Throws ConfigError, and changes
   * nothing, if callers on other machines would need no key.
   */
  reload(next: Config): Reloaded;
  /** Ships what processes have left that have ended, and does not wait for the next time to look for that. */
  adoptOutbox(): void;
}

/** What can be given to a service from outside. */
interface ServiceOptions {
  /** State of routing that the service shows and logs. Default: its own. */
  readonly routing?: RoutingView;
  /** The supervisor of this worker. Default: there are no workers. */
  readonly supervisor?: Pick<WorkerLink, "sinceMs" | "limits" | "metrics" | "modelsPath">;
  /** Returns the lines of the log that were dropped, for the metrics. Default: nobody counts them. */
  readonly logLinesDropped?: () => number;
}

/** Composes the service from its configuration and starts it. */
export async function composeService(
  config: Config,
  log: Log,
  { routing, supervisor, logLinesDropped }: ServiceOptions = {},
): Promise<ComposedService> {
  let running = config;
  await loadAdapters(config);
  const adapters = new Adapters(config, supervisor && ((local) => remoteModels(local, supervisor.modelsPath)));
  const rejections = new Rejections((kind) => log.warn({ ...kind }, "rejected because of overload"));
  const ledger = openConfiguredLedger(config.store, log);
  const store = ledger && createStoreThread(config.store, ledger, log);
  const accounts = store && followAccounts(store.accounts, config, log);
  const ledgerPending = ledger && (() => ledger.state().pendingRecords);
  const telemetry = await openTelemetry(
    config,
    { rejections, ledgerPending, logLinesDropped },
    log,
    supervisor?.metrics,
  );
  const spending =
    store && config.state === undefined ? followSpending(store.spending, log, supervisor?.sinceMs) : undefined;
  const shared = config.state && (await openSharedLimits(config.state, log));
  const limitStore = shared ?? limitsInMemory(supervisor, spending?.past);
  const service = await startService({
    config,
    adapters: adapters.all,
    models: config.listedModels,
    observers: [
      createCallLog(log),
      createProviderFailureLog(log),
      createRejectionCount(rejections),
      ...telemetry.observers,
      ...(ledger ? [ledger.observer] : []),
    ],
    tracer: telemetry.tracer,
    metricsPage: telemetry.metricsPage,
    rejections,
    served: createServedModels(log),
    ...(limitStore && { limitStore }),
    ...(ledger && { loadBounds: [ledger.bound] }),
    ...(store && { ledger: store.usage }),
    ...(routing && { routing }),
    ...(accounts && { mirror: accounts.mirror }),
    components: watchComponents({ redis: shared, ledger, store, mirror: accounts?.mirror }),
  }).catch((error: unknown) => {
    ledger?.release();
    void limitStore?.close();
    void telemetry.stop();
    throw error;
  });
  // The start of the thread takes as long as that of the service, which does not wait for it.
  store?.start();
  accounts?.start();
  spending?.start(config, accounts?.mirror);
  const stopStateLog = logStateChanges(service.routing, log);
  let generation = 1;
  telemetry.follow(service);
  let stopping: Promise<void> | undefined;
  const stop = async (isHandover: boolean): Promise<void> => {
    await service.stop(isHandover).finally(stopStateLog);
    const exported = telemetry.stop();
    accounts?.mirror.close();
    await ledger?.close();
    await store?.close(longestShippingMs);
    ledger?.release();
    await exported;
  };
  return {
    ...service,
    reload(written) {
      const next = withFixed(written, running);
      const changes = changesBetween(running, next);
      const needRestart = restartKeys(running, written);
      if (changes.keys.length === 0) return { generation, changes, needRestart };
      const prepared = adapters.prepare(next);
      generation = service.reload({ config: next, adapters: prepared.adapters, models: next.listedModels });
      prepared.commit();
      accounts?.setConfig(next);
      telemetry.setConfig(next);
      log.level = next.log.level;
      running = next;
      return { generation, changes, needRestart };
    },
    stop(isHandover = false) {
      stopping ??= stop(isHandover);
      return stopping;
    },
    abort() {
      service.abort();
      ledger?.flushSync();
    },
    adoptOutbox() {
      store?.shipper.adopt().catch(() => undefined);
    },
  };
}

/** Creates the lists of the models that servers serve. The log tells why one could not be read. */
function createServedModels(log: Log): ServedModels {
  const lines = new SampledLog(log);
  return new ServedModels({
    onFailure(provider, { reason, message: problem, cause }) {
      const fields = { provider, reason, problem, ...(cause instanceof Error && { err: cause }) };
      lines.write(provider, { level: "warn", fields, message: "the models of a server could not be listed" });
    },
  });
}

/** Returns the limits of this process: those that it shares with other workers, or its own. Undefined: plain ones. */
function limitsInMemory(
  supervisor: Pick<WorkerLink, "limits"> | undefined,
  past: PastSpending | undefined,
): LimitStore | undefined {
  if (supervisor === undefined) return past && new RememberingLimitStore(past);
  const { limits } = supervisor;
  const store = new ShareStore({ send: (report) => limits.send(report), past });
  limits.receive = (order) => store.receive(order);
  return store;
}

/**
 * Opens the ledger. If the outbox cannot be used, throws ConfigError if the configuration has the section `store`, and
 * otherwise returns undefined: calls are in the log only.
 */
function openConfiguredLedger(store: StoreSettings, log: Log): Ledger | undefined {
  try {
    return openLedger(store, log);
  } catch (error) {
    const problem = `${store.outbox} cannot be used: ${describeSystemCode(describeError(error))}`;
    const fix = "give a folder on a local disk that Dragoman can write";
    if (store.isWritten) throw new ConfigError([{ path: "store.outbox", problem, fix }]);
    log.warn({ problem }, "calls are recorded in the log only; set store.outbox to a folder that Dragoman can write");
    return undefined;
  }
}

/** Longest wait in ms for Redis before the service starts. Without it, the first calls would be decided by each replica. */
const longestRedisWaitMs = 1000;

/**
 * Opens the limits that replicas share. The log tells when Redis is lost, and when it is back. Loads the client of Redis,
 * which takes 80 ms of CPU time, only here.
 */
async function openSharedLimits(settings: RedisSettings, log: Log): Promise<RedisLimitStore> {
  const shared = await import("./state/redis-limit-store.ts");
  const lines = new SampledLog(log);
  const store = new shared.RedisLimitStore(settings, {
    onChange({ shared, reason, replicas }) {
      const back = { level: "info", fields: { replicas }, message: "limits are shared through Redis" } as const;
      const message = "Redis does not respond: this process decides about limits alone";
      lines.write("", shared ? back : { level: "warn", fields: { reason }, message });
    },
  });
  await Promise.race([store.tried, delay(longestRedisWaitMs, undefined, { ref: false })]);
  return store;
}
