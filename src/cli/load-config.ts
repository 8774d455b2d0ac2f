import type { Config } from "../config/config.ts";
import type { Environment } from "../config/environment.ts";
import { loadConfig } from "../config/load.ts";
import { unknownVariables } from "../config/unknown-variables.ts";
import { dialects, listedModels, providers } from "../providers/registry.ts";

/** Loads the configuration of a command. Throws ConfigError with every mistake. */
export function loadConfigFor(file: string | undefined, environment: Environment): Config {
  return loadConfig({ environment, file, providers, dialects, models: listedModels(environment) });
}

/** Returns a line for each variable that looks like one of Dragoman's, and has no effect. */
export function notesOn(environment: Environment): readonly string[] {
  return unknownVariables(environment, providers).map((note) => `dragoman: ${note}\n`);
}
