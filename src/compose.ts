import type { AccountStore } from "./accounts/account-store.ts";
import type { Config } from "./config/config.ts";
import { followAccounts } from "./follow-accounts.ts";
import { Rejections } from "./load/rejections.ts";
import type { Adapter } from "./providers/adapter.ts";
import { dialects } from "./providers/registry.ts";
import type { RoutingView } from "./routing/target-view.ts";
import { type Service, startService } from "./server/service.ts";
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
 * @param accountStore keys and accounts of the database. Default: only those of the configuration.
 */
export async function composeService(
  config: Config,
  log: Log,
  routing?: RoutingView,
  accountStore?: AccountStore,
): Promise<Service> {
  const rejections = new Rejections((kind) => log.warn({ ...kind }, "rejected because of overload"));
  const mirror = accountStore && followAccounts(accountStore, config, log);
  const service = await startService({
    config,
    adapters: createAdapters(config),
    models: config.listedModels,
    observers: [createCallLog(log), createProviderFailureLog(log), createRejectionCount(rejections)],
    rejections,
    ...(routing && { routing }),
    ...(mirror && { mirror }),
  });
  const stopStateLog = logStateChanges(service.routing, log);
  const stop = async (): Promise<void> => {
    await service.stop();
    stopStateLog();
    mirror?.close();
  };
  return { ...service, stop };
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
