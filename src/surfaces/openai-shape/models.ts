import { GatewayError } from "../../errors.ts";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import type { Catalog } from "../../models/catalog.ts";
import type { ProfileName } from "../../profiles/profiles.ts";

/** The models of one provider, which an API of its own knows by their bare names. */
export interface ModelNamespace {
  readonly provider: string;
  readonly profile: ProfileName;
  /** Whether a name that is known as another provider's is refused here, instead of by the provider. */
  readonly refusesForeign: boolean;
}

/**
 * The name for ChatRequest.model of a name in a world: one that the configuration has for it (an entry with the world's
 * profile, whichever provider it is at), an entry of the catalog at the world's provider, else what the provider itself
 * makes of the name. Throws MODEL_NOT_FOUND for a model of others, where the world refuses them.
 */
export function nameInNamespace(name: string, world: ModelNamespace, catalog: Catalog): string {
  const { provider, refusesForeign } = world;
  const path = `${provider}/${name}`;
  // DeepInfra's form of a deployment's name.
  const deployment = name.replace(/^deploy_id:/, "deployments/");
  if (deployment !== name && catalog.deploymentOf(deployment)) return deployment;
  const configured = catalog.deploymentOf(name);
  if (configured && isInNamespace(configured.model, world)) return name;
  const here = catalog.list().filter((model) => isInNamespace(model, world));
  if (here.some(({ id, aliases }) => id === name || aliases.includes(name))) return name;
  const isListed = here.some((model) => model.provider === provider && model.providerModel === name);
  if (!isListed && refusesForeign && isForeign(name, world, catalog)) {
    throw new GatewayError("MODEL_NOT_FOUND", `the model ${name} does not exist here`, { metadata: { model: name } });
  }
  return path;
}

/** The entries of a world, by the names that they have there. */
export function listNamespace(world: ModelNamespace, catalog: Catalog, account: string): readonly Model[] {
  return catalog.list(undefined, account).filter((model) => isInNamespace(model, world));
}

function isInNamespace({ provider, profile }: Model, world: ModelNamespace): boolean {
  return provider === world.provider || profile === world.profile;
}

/** Whether the catalog knows a name as that of a model elsewhere. */
function isForeign(name: string, { provider }: ModelNamespace, catalog: Catalog): boolean {
  try {
    return catalog.resolve(name).provider !== provider;
  } catch (error) {
    // One of a provider that is off names it.
    const elsewhere = error instanceof GatewayError ? error.facts.metadata?.provider : undefined;
    return elsewhere !== undefined && elsewhere !== provider;
  }
}
