import { createAdapters } from "../../src/adapters.ts";
import { loadConfig } from "../../src/config/load.ts";
import { Rejections } from "../../src/load/rejections.ts";
import { detectLocal, knownModels, prepareCommand, preparedModels } from "../../src/providers/local/home.ts";
import { provider as localProvider } from "../../src/providers/local/index.ts";
import { listedModels } from "../../src/providers/registry.ts";
import { type Service, startService } from "../../src/server/service.ts";

/** Why this machine cannot run a real chat model; undefined if it can. */
export const missingLocal =
  detectLocal(process.env) ?? (preparedModels(process.env).length === 0 ? `run \`${prepareCommand}\`` : undefined);

/** Returns this machine's model for tests. Prefers the smaller one, since it is faster. Tests hold for any model. */
export function localFile() {
  const prepared = preparedModels(process.env);
  return prepared.find(({ name }) => name === knownModels[1].name) ?? prepared[0];
}

/** Starts a service with this machine's local models. */
export async function startLocalService(environment: Readonly<Record<string, string>> = {}): Promise<Service> {
  const { DRAGOMAN_LOCAL_HOME, DRAGOMAN_LOCAL_MODEL } = process.env;
  const variables = { DRAGOMAN_LOCAL_HOME, DRAGOMAN_LOCAL_MODEL, ...environment };
  const models = listedModels(variables).filter(({ provider }) => provider === "local");
  const config = loadConfig({
    environment: { ...variables, DRAGOMAN_GRPC_ADDRESS: "127.0.0.1:0", DRAGOMAN_HTTP_ADDRESS: "127.0.0.1:0" },
    providers: [localProvider],
    models,
  });
  const adapters = await createAdapters(config);
  return startService({ config, adapters, models, rejections: new Rejections(() => {}), observers: [] });
}
