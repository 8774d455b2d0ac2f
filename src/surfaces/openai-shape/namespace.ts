import { GatewayError } from "../../errors.ts";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import type { Catalog } from "../../models/catalog.ts";
import { deploymentName } from "../../models/find-model.ts";
import type { ProfileName } from "../../profiles/profiles.ts";

/** The models of one provider, which an API of its own knows by their bare names. */
export interface ModelNamespace {
  readonly provider: string;
  readonly profile: ProfileName;
  /** Whether Dragoman rejects the name of another provider's model, instead of the provider. */
  readonly rejectsForeign: boolean;
}

/**
 * Returns the ChatRequest.model of a name in a namespace: the configuration's entry (one with the namespace's profile,
 * at any provider), then the catalog's entry at the namespace's provider, else the name at that provider. Throws
 * MODEL_NOT_FOUND for another provider's model, if the namespace rejects those.
 */
export function nameInNamespace(name: string, namespace: ModelNamespace, catalog: Catalog): string {
  const { provider, rejectsForeign } = namespace;
  const path = `${provider}/${name}`;
  // DeepInfra's form of a deployment's name.
  const deployment = name.replace(/^deploy_id:/, deploymentName(""));
  if (deployment !== name && catalog.deploymentOf(deployment)) return deployment;
  const configured = catalog.deploymentOf(name);
  if (configured && isInNamespace(configured.model, namespace)) return name;
  const here = catalog.list().filter((model) => isInNamespace(model, namespace));
  if (here.some(({ id, aliases }) => id === name || aliases.includes(name))) return name;
  const isListed = here.some((model) => model.provider === provider && model.providerModel === name);
  if (!isListed && rejectsForeign && isForeign(name, namespace, catalog)) {
    throw new GatewayError("MODEL_NOT_FOUND", `the model ${name} does not exist here`, { metadata: { model: name } });
  }
  return path;
}

/** The catalog entries in a namespace. */
export function listNamespace(namespace: ModelNamespace, catalog: Catalog, account: string): readonly Model[] {
  return catalog.list(undefined, account).filter((model) => isInNamespace(model, namespace));
}

function isInNamespace({ provider, profile }: Model, namespace: ModelNamespace): boolean {
  return provider === namespace.provider || profile === namespace.profile;
}

/** Whether the catalog knows a name as that of a model elsewhere. */
function isForeign(name: string, namespace: ModelNamespace, catalog: Catalog): boolean {
  const provider = catalog.providerOf(name);
  return provider !== undefined && provider !== namespace.provider;
}
