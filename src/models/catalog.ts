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
   * The model of a name: an id or alias of the catalog first, then `provider/model`, which always has the profile
   * `plain`. A `provider/model` that the catalog lacks is passed on with unknown capabilities, so that a new model
   * needs no new release. Anything else is MODEL_NOT_FOUND, and so is the deployment of another account than `account`,
   * with the same words as a deployment that does not exist (seed 003).
   */
  resolve(name: string, account?: string): Model;
  /**
   * Returns the provider of the model that a name resolves to, whether that provider is configured or not. Undefined if
   * no provider has the name.
   */
  providerOf(name: string, account?: string): string | undefined;
  /** The entries that an account may use, ordered by id, of one provider or of all that are on. */
  list(provider?: string, account?: string): readonly Model[];
  /** What is configured for the model with this `Model.id`, as `resolve` gives it; undefined for most. */
  deploymentOf(id: string): ConfiguredModel | undefined;
}

function isNamed({ id, aliases, provider, providerModel }: Model, name: string): boolean {
  return id === name || aliases.includes(name) || `${provider}/${providerModel}` === name;
}

/**
 * `providers` are the names of those that are on; `known` tells callers how to turn on the others. Two entries with one
 * name are a mistake in the program and throw.
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
  // A deployment that only completes text states a family of its own.
  const withFamily = (model: Model): Model =>
    model.family === "" ? { ...model, family: statuses.get(model.provider)?.family ?? model.provider } : model;
  const deployments = new Map(
    configured.map((deployment) => [deployment.model.id, { ...deployment, model: withFamily(deployment.model) }]),
  );
  const own = [...deployments.values()].map(({ model }) => model);
  // In its place, since the first entry of a provider's model is what provider/model means.
  const replaced = entries.map((entry) => deployments.get(entry.id)?.model ?? entry);
  const models = [...replaced, ...own.filter((model) => !replaced.includes(model))];
  throwIfShared(models.flatMap(({ id, aliases }) => [id, ...aliases]));
  const index = indexModels(models, entries);
  const listed = models.filter(({ provider }) => on.has(provider)).sort((a, b) => (a.id < b.id ? -1 : 1));

  function visible({ id }: Model, account: string): boolean {
    const owner = deployments.get(id)?.account ?? "";
    return owner === "" || owner === account;
  }

  function notFound(name: string, account: string, why: string): GatewayError {
    const isDeployment = deploymentId(name) !== undefined;
    // What all ids of deployments begin with would make any two of them look alike.
    const nameOf = isDeployment ? deploymentId : (candidate: string) => candidate;
    const names = [...index.byName, ...index.byPath]
      .filter(([, model]) => on.has(model.provider) && visible(model, account))
      .flatMap(([candidate]) => nameOf(candidate) ?? []);
    const near = nearest(nameOf(name) ?? name, new Set(names)).map((id) => (isDeployment ? deploymentName(id) : id));
    const hint = near.length > 0 ? `did you mean ${near.join(" or ")}?` : "ListModels lists what there is";
    return new GatewayError("MODEL_NOT_FOUND", `${why}; ${hint}`, { metadata: { model: name } });
  }

  /** Why a name leads to no model. */
  function missing(name: string): string {
    const deployment = deploymentId(name);
    if (deployment !== undefined) return `there is no deployment ${deployment}`;
    const slash = name.indexOf("/");
    if (slash < 0) return `there is no model ${name}; write provider/model for one that is not listed`;
    const provider = name.slice(0, slash);
    return knownNames.includes(provider)
      ? `the model's name is missing after ${name}`
      : `there is no model ${name}, nor a provider ${provider} (those that are on: ${[...on].join(", ")})`;
  }

  function turnedOff(name: string, provider: string): GatewayError {
    const reason = statuses.get(provider)?.reason ?? "turn it on in the configuration";
    const listed = models.find((model) => isNamed(model, name))?.id ?? "";
    const elsewhere = sameWeights(listed).filter((id) => on.has(index.byName.get(id)?.provider ?? ""));
    const also =
      elsewhere.length > 0 ? `; other names of the same weights, whose providers are on: ${elsewhere.join(", ")}` : "";
    const message = `the model ${name} needs the provider ${provider}, which is off: ${reason}${also}`;
    return new GatewayError("MODEL_NOT_FOUND", message, { metadata: { model: name, provider } });
  }

  function providerOf(name: string, account = ""): string | undefined {
    const found = findModel(index, name, knownNames);
    return found !== undefined && visible(found, account) ? found.provider : undefined;
  }

  function resolve(name: string, account = ""): Model {
    const found = findModel(index, name, knownNames);
    if (found === undefined || !visible(found, account)) throw notFound(name, account, missing(name));
    if (!on.has(found.provider)) throw turnedOff(name, found.provider);
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
