import { GatewayError } from "../../errors.ts";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import type { Catalog } from "../../models/catalog.ts";
import { deploymentName } from "../../models/find-model.ts";
import type { ProfileName } from "../../profiles/profiles.ts";

/** Models of one provider, which its own API names without the provider prefix. */
export interface ModelNamespace {
  readonly provider: string;
  readonly profile: ProfileName;
  /** Whether Dragoman rejects another provider's model. Otherwise this provider receives the name and rejects it. */
  readonly rejectsForeign: boolean;
}

/**
 * Returns the ChatRequest.model of a name in a namespace: a configured deployment or a catalog model in the namespace
 * (by provider, or by profile at any provider), otherwise the name at the namespace's provider. Throws MODEL_NOT_FOUND
 * for another provider's model, if the namespace rejects those.
 */
export function nameInNamespace(name: string, namespace: ModelNamespace, catalog: Catalog): string {
  const { provider, rejectsForeign } = namespace;
  const path = `${provider}/${name}`;
  // DeepInfra's syntax for a deployment.
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
