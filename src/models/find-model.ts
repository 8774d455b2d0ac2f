import { create } from "@bufbuild/protobuf";
import { type Model, ModelSchema } from "../gen/dragoman/v1/model_pb.js";

const deploymentPrefix = "deployments/";

/** `Model.id` of a deployment, by which requests name it. */
export function deploymentName(id: string): string {
  return deploymentPrefix + id;
}

/** The id of the deployment that a name means. Undefined for any other name. */
export function deploymentId(name: string): string | undefined {
  return name.startsWith(deploymentPrefix) ? name.slice(deploymentPrefix.length) : undefined;
}

/** Models by each of their names. */
interface ModelIndex {
  /** By id and alias. */
  readonly byName: ReadonlyMap<string, Model>;
  /** By `provider/model`, under that id and the profile `plain`. */
  readonly byPath: ReadonlyMap<string, Model>;
}

/**
 * Indexes models; where two share a name, the first has it. A deployment is not what its provider serves as
 * `provider/model`. `listed` are the entries before configuration: one that was moved to another provider still means
 * the model of the first.
 */
export function indexModels(models: readonly Model[], listed: readonly Model[] = []): ModelIndex {
  const byName = new Map<string, Model>();
  for (const model of models) {
    for (const name of [model.id, ...model.aliases]) if (!byName.has(name)) byName.set(name, model);
  }
  const byPath = new Map<string, Model>();
  for (const model of [...models.filter(({ id }) => deploymentId(id) === undefined), ...listed]) {
    const path = `${model.provider}/${model.providerModel}`;
    if (!byPath.has(path)) byPath.set(path, { ...model, id: path, aliases: [], profile: "plain" });
  }
  return { byName, byPath };
}

/**
 * Resolves a name: an id or alias, then `provider/model`. A `provider/model` that is not listed is passed on with unknown
 * capabilities, so that a new model needs no new release. Undefined where the provider is not known either.
 */
export function findModel(
  { byName, byPath }: ModelIndex,
  name: string,
  providers: readonly string[],
): Model | undefined {
  const found = byName.get(name) ?? byPath.get(name);
  if (found !== undefined) return found;
  const [, provider = "", providerModel = ""] = /^([^/]+)\/(.+)$/s.exec(name) ?? [];
  if (!providers.includes(provider)) return undefined;
  return create(ModelSchema, { id: name, provider, displayName: providerModel, profile: "plain", providerModel });
}
