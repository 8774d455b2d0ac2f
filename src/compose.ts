import type { Config } from "./config/config.ts";
import type { RedisSettings } from "./config/state.ts";
import { Rejections } from "./load/rejections.ts";
import type { Adapter } from "./providers/adapter.ts";
import { dialects } from "./providers/registry.ts";
import type { RoutingView } from "./routing/target-view.ts";
import { type Service, startService } from "./server/service.ts";
import { RedisLimitStore } from "./state/redis-limit-store.ts";
import { createCallLog } from "./telemetry/call-log.ts";
import type { Log } from "./telemetry/log.ts";
import { createProviderFailureLog } from "./telemetry/provider-failures.ts";
import { createRejectionCount } from "./telemetry/rejection-count.ts";
import { logStateChanges } from "./telemetry/state-changes.ts";
import { TemplateSandbox } from "./templates/sandbox.ts";

/**
 * Composes the service from its configuration and starts it.
 *
 * @param routing state of routing that the service shows and logs. Default: its own.
 */
export async function composeService(config: Config, log: Log, routing?: RoutingView): Promise<Service> {
  const rejections = new Rejections((kind) => log.warn({ ...kind }, "rejected because of overload"));
  const service = await startService({
    config,
    adapters: createAdapters(config),
    models: config.listedModels,
    observers: [createCallLog(log), createProviderFailureLog(log), createRejectionCount(rejections)],
    rejections,
    ...(config.state && { limitStore: createSharedLimits(config.state, log) }),
    ...(routing && { routing }),
  });
  const stopStateLog = logStateChanges(service.routing, log);
  return { ...service, stop: () => service.stop().finally(stopStateLog) };
}

/** Creates the limits that replicas share. The log tells when they are lost, and when they are back. */
function createSharedLimits(settings: RedisSettings, log: Log): RedisLimitStore {
  return new RedisLimitStore(settings, {
    onChange({ shared, reason, replicas }) {
      if (shared) log.info({ replicas }, "limits are shared through Redis");
      else log.warn({ reason }, "Redis does not respond: this process decides about limits alone");
    },
  });
}

/** Creates the adapter of every configured provider. The adapters share one sandbox for chat templates. */
export function createAdapters(config: Pick<Config, "providers" | "limits">): readonly Adapter[] {
  const { maxTemplateProcesses: maxProcesses, maxTemplateProcessesPerAccount: maxPerAccount } = config.limits;
  const sandbox = new TemplateSandbox({ maxProcesses, maxPerAccount });
  return config.providers.flatMap((settings) => {
    const definition = dialects.find(({ name }) => name === settings.dialect);
    return definition === undefined ? [] : [definition.create(settings, sandbox)];
  });
}
