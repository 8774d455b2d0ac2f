import { GatewayError } from "../../errors.ts";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import type { Catalogue } from "../../models/catalogue.ts";
import type { ProfileName } from "../../models/profiles.ts";

/** The models of one provider, which an API of its own knows by their bare names. */
export interface ModelWorld {
  readonly provider: string;
  readonly profile: ProfileName;
  /** Whether a name that is known as another provider's is refused here, instead of by the provider. */
  readonly refusesForeign: boolean;
}

/**
 * The name for ChatRequest.model of a name in a world: one that the configuration has for it (an entry with the world's
 * profile, whichever provider it is at), an entry of the catalogue at the world's provider, else what the provider itself
 * makes of the name. Throws MODEL_NOT_FOUND for a model of others, where the world refuses them.
 */
export function nameInWorld(name: string, world: ModelWorld, catalogue: Catalogue): string {
  const { provider, refusesForeign } = world;
  const path = `${provider}/${name}`;
  // DeepInfra's form of a deployment's name.
  const deployment = name.replace(/^deploy_id:/, "deployments/");
  if (deployment !== name && catalogue.deploymentOf(deployment)) return deployment;
  const configured = catalogue.deploymentOf(name);
  if (configured && isInWorld(configured.model, world)) return name;
  const here = catalogue.list().filter((model) => isInWorld(model, world));
  if (here.some(({ id, aliases }) => id === name || aliases.includes(name))) return name;
  const isListed = here.some((model) => model.provider === provider && model.providerModel === name);
  if (!isListed && refusesForeign && isForeign(name, world, catalogue)) {
    throw new GatewayError("MODEL_NOT_FOUND", `the model ${name} does not exist here`, { metadata: { model: name } });
  }
  return path;
}

/** The entries of a world, by the names that they have there. */
export function listWorld(world: ModelWorld, catalogue: Catalogue, account: string): readonly Model[] {
  return catalogue.list(undefined, account).filter((model) => isInWorld(model, world));
}

function isInWorld({ provider, profile }: Model, world: ModelWorld): boolean {
  return provider === world.provider || profile === world.profile;
}

/** Whether the catalogue knows a name as that of a model elsewhere. */
function isForeign(name: string, { provider }: ModelWorld, catalogue: Catalogue): boolean {
  try {
    return catalogue.resolve(name).provider !== provider;
  } catch (error) {
    // One of a provider that is off names it.
    const elsewhere = error instanceof GatewayError ? error.facts.metadata?.provider : undefined;
    return elsewhere !== undefined && elsewhere !== provider;
  }
}
