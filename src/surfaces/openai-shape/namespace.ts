import { GatewayError } from "../../errors.ts";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import type { Catalog } from "../../models/catalog.ts";
import { deploymentName } from "../../models/find-model.ts";
import type { ProfileName } from "../../profiles/profiles.ts";

/** Models that the API of one provider names without the prefix `provider/`. */
export interface ModelNamespace {
  readonly provider: string;
  readonly profile: ProfileName;
  /** Whether Dragoman rejects the name of another provider's model. If false, this provider receives the name. */
  readonly rejectsForeign: boolean;
}

/**
 * Returns the ChatRequest.model for a name in a namespace. A deployment or catalog model is in the namespace if it has
 * the namespace's provider or profile; its name stays unchanged. Any other name becomes `provider/name`, or throws
 * MODEL_NOT_FOUND if it names another provider's model and the namespace rejects those.
 */
export function nameInNamespace(name: string, namespace: ModelNamespace, catalog: Catalog): string {
  const { provider, rejectsForeign } = namespace;
  const path = `${provider}/${name}`;
  // DeepInfra's API names a deployment `deploy_id:<id>`, ChatRequest names it `deployments/<id>`.
  const deployment = name.replace(/^deploy_id:/, deploymentName(""));
  if (deployment !== name && catalog.deploymentOf(deployment)) return deployment;
  const configured = catalog.deploymentOf(name);
  if (configured && isInNamespace(configured.model, namespace)) return name;
  const here = catalog.list().filter((model) => isInNamespace(model, namespace));
  if (here.some(({ id, aliases }) => id === name || aliases.includes(name))) return name;
  const isListed = here.some((model) => model.provider === provider && model.providerModel === name);
  if (!isListed && rejectsForeign && isForeign(name, namespace, catalog)) {
    const message = `the model ${name} does not exist in the ${provider} API`;
    throw new GatewayError("MODEL_NOT_FOUND", message, { metadata: { model: name } });
  }
  return path;
}

/** Returns the catalog models in a namespace. */
export function listNamespace(namespace: ModelNamespace, catalog: Catalog, account: string): readonly Model[] {
  return catalog.list(undefined, account).filter((model) => isInNamespace(model, namespace));
}

function isInNamespace({ provider, profile }: Model, namespace: ModelNamespace): boolean {
  return provider === namespace.provider || profile === namespace.profile;
}

/** Returns whether a name is that of another provider's model in the catalog. */
function isForeign(name: string, namespace: ModelNamespace, catalog: Catalog): boolean {
  const provider = catalog.providerOf(name);
  return provider !== undefined && provider !== namespace.provider;
}
