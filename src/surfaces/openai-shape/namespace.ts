import { GatewayError } from "../../errors.ts";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import type { Catalog } from "../../models/catalog.ts";
import { deploymentName } from "../../models/find-model.ts";
import type { ProfileName } from "../../profiles/profiles.ts";
import { profileValues } from "../../profiles/select-profile.ts";

/**
 * Models that the API of one provider names without the prefix `provider/`. The models of added providers with the same
 * dialect are in the namespace too, with their prefix.
 */
export interface ModelNamespace {
  readonly provider: string;
  readonly profile: ProfileName;
  /** Whether Dragoman rejects the name of another provider's model. If false, this provider receives the name. */
  readonly rejectsForeign: boolean;
}

/**
 * Returns the ChatRequest.model for a name in a namespace. A deployment or catalog model is in the namespace if it has
 * the namespace's provider or its own profile is that of the namespace, or if the configuration moved it from this
 * provider to another one; its name stays unchanged. Any other name becomes `provider/name`, or throws
 * MODEL_NOT_FOUND if it names another provider's model and the namespace rejects those.
 */
export function nameInNamespace(name: string, namespace: ModelNamespace, catalog: Catalog): string {
  const { provider, rejectsForeign } = namespace;
  const path = `${provider}/${name}`;
  // DeepInfra's API names a deployment `deploy_id:<id>`, ChatRequest names it `deployments/<id>`.
  const deployment = name.replace(/^deploy_id:/, deploymentName(""));
  if (deployment !== name && catalog.deploymentOf(deployment)) return deployment;
  const configured = catalog.deploymentOf(name);
  if (configured && isInNamespace(configured.model, namespace, catalog)) return name;
  const models = catalog.list();
  const named = models.find(({ id, aliases }) => id === name || aliases.includes(name));
  if (named && isInNamespace(named, namespace, catalog)) return name;
  const owner = catalog.providerOf(name);
  if (owner !== undefined && owner !== provider && catalog.providersOf(provider).includes(owner)) return name;
  const isListed = models.some((model) => model.provider === provider && model.providerModel === name);
  // Without the provider, the error for `path` says how to turn it on.
  const isOn = models.some((model) => model.provider === provider);
  if (!isListed && rejectsForeign && isOn && isForeign(name, namespace, catalog)) {
    const message = `the model ${name} does not exist in the ${provider} API; GET /${provider}/v1/models lists its models`;
    throw new GatewayError("MODEL_NOT_FOUND", message, { metadata: { model: name } });
  }
  return path;
}

/** Returns whether a model is in a namespace. */
export function isInNamespace({ id, provider, profile }: Model, namespace: ModelNamespace, catalog: Catalog): boolean {
  const isOwn =
    catalog.providersOf(namespace.provider).includes(provider) || catalog.listedProviderOf(id) === namespace.provider;
  return isOwn || profile === profileValues[namespace.profile];
}

/** Returns whether a name is that of another provider's model in the catalog. */
function isForeign(name: string, namespace: ModelNamespace, catalog: Catalog): boolean {
  const provider = catalog.providerOf(name);
  return provider !== undefined && provider !== namespace.provider;
}
