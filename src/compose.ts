import type { Config } from "./config/config.ts";
import { withProfile } from "./config/models.ts";
import { listedModels } from "./providers/listed-models.ts";
import { declarations } from "./providers/registry.ts";
import { type Service, startService } from "./server/service.ts";
import { createCallLog } from "./telemetry/call-log.ts";
import type { Log } from "./telemetry/log.ts";

/** Puts a service together from its configuration and starts it. */
export function composeService(config: Config, log: Log): Promise<Service> {
  const adapters = config.providers.map((settings) => {
    const declaration = declarations.find(({ name }) => name === settings.name);
    if (declaration === undefined) throw new Error(`no provider is declared as ${settings.name}`);
    return declaration.create(settings);
  });
  return startService({
    config,
    adapters,
    models: withProfile(listedModels(), config.profile),
    observers: [createCallLog(log)],
  });
}
