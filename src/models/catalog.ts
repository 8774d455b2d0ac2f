import { GatewayError } from "../errors.ts";
import type { Model } from "../gen/dragoman/v1/model_pb.js";
import { nearest } from "../nearest.ts";
import type { ConfiguredModel } from "./configured-model.ts";
import { deploymentId, deploymentName, findModel, indexModels } from "./find-model.ts";
import type { ProviderStatus } from "./provider-status.ts";
import { sameWeights } from "./same-weights.ts";

/** The models that requests can name. */
export interface Catalog {
  /**
   * Resolves a name: first as an id or alias in the catalog, then as `provider/model`, which always has the profile
   * `plain`. An unlisted `provider/model` is accepted with unknown capabilities, so that a new model needs no new
   * release.
   *
   * Throws MODEL_NOT_FOUND for any other name. For a deployment of another account, the error text is the same as for
   * one that does not exist (Scale EGP deployments API).
   */
  resolve(name: string, account?: string): Model;
  /**
   * Returns the provider of the model that a name resolves to, configured or not. Undefined if the name does not
   * resolve for this account.
   */
  providerOf(name: string, account?: string): string | undefined;
  /** Returns the models that an account may use, ordered by id, of one configured provider or of all of them. */
  list(provider?: string, account?: string): readonly Model[];
  /** Returns the entry with this `Model.id` in the configuration's `models` or `deployments`. Undefined if none. */
  deploymentOf(id: string): ConfiguredModel | undefined;
}

function isNamed({ id, aliases, provider, providerModel }: Model, name: string): boolean {
  return id === name || aliases.includes(name) || `${provider}/${providerModel}` === name;
}

/**
 * Creates the catalog. Throws if two entries share an id or alias, which is a programming error.
 *
 * @param providers names of the configured providers
 * @param known status of all providers; errors quote the reason why a provider is not configured
 */
export function createCatalog(
  entries: readonly Model[],
  providers: readonly string[],
  known: readonly ProviderStatus[] = [],
  configured: readonly ConfiguredModel[] = [],
): Catalog {
  const on = new Set(providers);
  const statuses = new Map(known.map((status) => [status.name, status]));
  const knownNames = [...new Set([...providers, ...statuses.keys()])];
  // The configuration may set a family; the default is the family of the provider.
  const withFamily = (model: Model): Model =>
    model.family === "" ? { ...model, family: statuses.get(model.provider)?.family ?? model.provider } : model;
  const deployments = new Map(
    configured.map((deployment) => [deployment.model.id, { ...deployment, model: withFamily(deployment.model) }]),
  );
  const configuredModels = [...deployments.values()].map(({ model }) => model);
  // A replaced entry keeps its position, since `provider/model` means the first entry with that provider and model.
  const replaced = entries.map((entry) => deployments.get(entry.id)?.model ?? entry);
  const models = [...replaced, ...configuredModels.filter((model) => !replaced.includes(model))];
  throwIfShared(models.flatMap(({ id, aliases }) => [id, ...aliases]));
  const index = indexModels(models, entries);
  const listed = models.filter(({ provider }) => on.has(provider)).sort((a, b) => (a.id < b.id ? -1 : 1));

  function visible({ id }: Model, account: string): boolean {
    const owner = deployments.get(id)?.account ?? "";
    return owner === "" || owner === account;
  }

  function notFound(name: string, account: string, why: string): GatewayError {
    const isDeployment = deploymentId(name) !== undefined;
    // Compare deployment ids without their common prefix, which would make any two of them similar.
    const nameOf = isDeployment ? deploymentId : (candidate: string) => candidate;
    const names = [...index.byName, ...index.byPath]
      .filter(([, model]) => on.has(model.provider) && visible(model, account))
      .flatMap(([candidate]) => nameOf(candidate) ?? []);
    const near = nearest(nameOf(name) ?? name, new Set(names)).map((id) => (isDeployment ? deploymentName(id) : id));
    const hint = near.length > 0 ? `did you mean ${near.join(" or ")}?` : "call ListModels for valid names";
    return new GatewayError("MODEL_NOT_FOUND", `${why}; ${hint}`, { metadata: { model: name } });
  }

  /** Explains why a name does not resolve to a model. */
  function missing(name: string): string {
    const deployment = deploymentId(name);
    if (deployment !== undefined) return `there is no deployment ${deployment}`;
    const slash = name.indexOf("/");
    if (slash < 0) return `there is no model ${name}; write provider/model for an unlisted model`;
    const provider = name.slice(0, slash);
    return knownNames.includes(provider)
      ? `the model's name is missing after ${name}`
      : `there is no model ${name} and no provider ${provider} (configured: ${[...on].join(", ")})`;
  }

  function notConfigured(name: string, provider: string): GatewayError {
    const reason = statuses.get(provider)?.reason ?? "enable it in the configuration";
    const listed = models.find((model) => isNamed(model, name))?.id ?? "";
    const elsewhere = sameWeights(listed).filter((id) => on.has(index.byName.get(id)?.provider ?? ""));
    const also = elsewhere.length > 0 ? `; the same weights are available as ${elsewhere.join(", ")}` : "";
    const message = `the model ${name} needs the provider ${provider}, which is not configured: ${reason}${also}`;
    return new GatewayError("MODEL_NOT_FOUND", message, { metadata: { model: name, provider } });
  }

  function providerOf(name: string, account = ""): string | undefined {
    const found = findModel(index, name, knownNames);
    return found !== undefined && visible(found, account) ? found.provider : undefined;
  }

  function resolve(name: string, account = ""): Model {
    const found = findModel(index, name, knownNames);
    if (found === undefined || !visible(found, account)) throw notFound(name, account, missing(name));
    if (!on.has(found.provider)) throw notConfigured(name, found.provider);
    return withFamily(found);
  }

  return {
    resolve,
    providerOf,
    list: (provider, account = "") =>
      listed.filter((model) => visible(model, account) && (provider === undefined || model.provider === provider)),
    deploymentOf: (id) => deployments.get(id),
  };
}

function throwIfShared(names: readonly string[]): void {
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) throw new Error(`two models are named ${name}`);
    seen.add(name);
  }
}
