import { create } from "@bufbuild/protobuf";
import { type Model, ModelSchema } from "../gen/dragoman/v1/model_pb.js";
import { Profile } from "../gen/dragoman/v1/profile_pb.js";

const deploymentPrefix = "deployments/";

/** Returns the `Model.id` of a deployment, which requests set in `ChatRequest.model`. */
export function deploymentName(id: string): string {
  return deploymentPrefix + id;
}

/** Returns the deployment id in a model name. Undefined if the name does not start with `deployments/`. */
export function deploymentId(name: string): string | undefined {
  return name.startsWith(deploymentPrefix) ? name.slice(deploymentPrefix.length) : undefined;
}

/** Index of models by name. */
interface ModelIndex {
  /** Models by id and alias. */
  readonly byName: ReadonlyMap<string, Model>;
  /** Copies of the models by `provider/model`, with that id and without a profile of their own. */
  readonly byPath: ReadonlyMap<string, Model>;
}

/**
 * Indexes models. If two models share a name, the name means the first one. Deployments are not indexed by
 * `provider/model`.
 *
 * @param listed built-in models, before the configuration changes them. If the configuration moves a model to another
 * provider, its old `provider/model` still resolves to the built-in model.
 */
export function indexModels(models: readonly Model[], listed: readonly Model[] = []): ModelIndex {
  const byName = new Map<string, Model>();
  for (const model of models) {
    for (const name of [model.id, ...model.aliases]) if (!byName.has(name)) byName.set(name, model);
  }
  const byPath = new Map<string, Model>();
  for (const model of [...models.filter(({ id }) => deploymentId(id) === undefined), ...listed]) {
    const path = `${model.provider}/${model.providerModel}`;
    if (!byPath.has(path)) byPath.set(path, { ...model, id: path, aliases: [], profile: Profile.UNSPECIFIED });
  }
  return { byName, byPath };
}

/**
 * Resolves a name: first as an id or alias, then as `provider/model`. An unlisted `provider/model` is accepted with
 * unknown capabilities, so that a new model needs no new release. Returns undefined if the provider is unknown too.
 *
 * @param providers names of the known providers
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
  return unlistedModel(provider, providerModel);
}

/** Models that are not listed and that a finder remembers. Callers choose their names, so that there is a bound. */
const mostUnlisted = 1_000;

/**
 * Returns a function like `findModel` that returns the same object in every call, so that what is known of a model can
 * be found by the object. `complete` adds to a model that is not listed what the listed ones have.
 */
export function createFinder(
  index: ModelIndex,
  providers: readonly string[],
  complete: (model: Model) => Model,
): (name: string) => Model | undefined {
  const unlisted = new Map<string, Model>();
  return (name) => {
    const known = index.byName.get(name) ?? index.byPath.get(name) ?? unlisted.get(name);
    if (known !== undefined) return known;
    const found = findModel(index, name, providers);
    if (found === undefined) return undefined;
    if (unlisted.size === mostUnlisted) unlisted.clear();
    const model = complete(found);
    unlisted.set(name, model);
    return model;
  };
}

/** Returns a model that the catalog does not list, with unknown capabilities. */
export function unlistedModel(provider: string, providerModel: string): Model {
  return create(ModelSchema, {
    id: `${provider}/${providerModel}`,
    provider,
    displayName: providerModel,
    providerModel,
  });
}
