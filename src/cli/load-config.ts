import type { Config } from "../config/config.ts";
import type { OnRead, WrittenConfig } from "../config/config-file.ts";
import type { Environment } from "../config/environment.ts";

/**
 * Loads the configuration of a command. Rejects with ConfigError, which has every mistake. Loads the providers only now:
 * that takes longer than all else that help and mistakes of the command line need.
 */
export async function loadConfigFor(
  file: string | undefined,
  environment: Environment,
  {
    onRead,
    onWritten,
  }: { readonly onRead?: OnRead | undefined; readonly onWritten?: (file: WrittenConfig) => void } = {},
): Promise<Config> {
  const { loadConfig } = await import("../config/load.ts");
  const { dialects, listedModels, providers } = await import("../providers/registry.ts");
  return loadConfig({
    environment,
    file,
    providers,
    dialects,
    models: listedModels(environment),
    ...(onRead && { onRead }),
    ...(onWritten && { onWritten }),
  });
}

/** Loads the next configuration of a running service, and the adapters of its providers. */
export async function loadNextConfig(
  file: string | undefined,
  environment: Environment,
  options: { readonly onRead: OnRead | undefined },
): Promise<Config> {
  const config = await loadConfigFor(file, environment, options);
  const { loadAdapters } = await import("../adapters.ts");
  await loadAdapters(config);
  return config;
}
