import { create } from "@bufbuild/protobuf";
import type { DeclaredParameter } from "../chat/planning/deployment.ts";
import { GatewayError } from "../errors.ts";
import { type Model, ModelSchema } from "../gen/dragoman/v1/model_pb.js";
import { nearest } from "../nearest.ts";
import { withFamily } from "./api-family.ts";
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
  deploymentOf(id: string): Deployment | undefined;
}

/** A model of the configuration: a deployment (`deployments/<id>`), or an entry that is added or changed. */
export interface Deployment {
  /** Takes the place of an entry with its id. */
  readonly model: Model;
  /** The only account that may use it. Empty: every one. */
  readonly account: string;
  /** What ChatRequest.deployment_parameters may hold. */
  readonly parameters: readonly DeclaredParameter[];
  /** The model gets the last user message and nothing else. */
  readonly completionOnly: boolean;
}

function isNamed({ id, aliases, provider, providerModel }: Model, name: string): boolean {
  return id === name || aliases.includes(name) || `${provider}/${providerModel}` === name;
}

const deploymentPrefix = "deployments/";

/** A provider that this service knows, and what to do to turn it on. */
export interface KnownProvider {
  readonly name: string;
  readonly reason: string;
}

/**
 * `providers` are the names of those that are on; `known` tells callers how to turn on the others. Two entries with one
 * name are a mistake in the program and throw.
 */
export function createCatalog(
  entries: readonly Model[],
  providers: readonly string[],
  known: readonly KnownProvider[] = [],
  configured: readonly Deployment[] = [],
): Catalog {
  const on = new Set(providers);
  const deployments = new Map(
    configured.map((deployment) => [deployment.model.id, { ...deployment, model: withFamily(deployment.model) }]),
  );
  const own = [...deployments.values()].map(({ model }) => model);
  // In its place, since the first entry of a provider's model is what provider/model means.
  const replaced = entries.map((entry) => deployments.get(entry.id)?.model ?? entry);
  const models = [...replaced, ...own.filter((model) => !replaced.includes(model))];
  const byName = new Map<string, Model>();
  for (const model of models) {
    for (const name of [model.id, ...model.aliases]) {
      if (byName.has(name)) throw new Error(`two models are named ${name}`);
      byName.set(name, model);
    }
  }
  const byProvider = new Map<string, Model>();
  // A deployment is not what its provider serves by that name; an entry that was moved to another provider still is.
  for (const model of [...models.filter(({ id }) => !id.startsWith(deploymentPrefix)), ...entries]) {
    const path = `${model.provider}/${model.providerModel}`;
    if (!byProvider.has(path)) byProvider.set(path, { ...model, id: path, aliases: [], profile: "plain" });
  }
  const listed = models.filter(({ provider }) => on.has(provider)).sort((a, b) => (a.id < b.id ? -1 : 1));

  function visible({ id }: Model, account: string): boolean {
    const owner = deployments.get(id)?.account ?? "";
    return owner === "" || owner === account;
  }

  function notFound(name: string, account: string, why: string): GatewayError {
    // What all ids of deployments begin with would make any two of them look alike.
    const kind = name.startsWith(deploymentPrefix) ? deploymentPrefix : "";
    const names = [...byName, ...byProvider]
      .filter(([, model]) => on.has(model.provider) && visible(model, account))
      .flatMap(([candidate]) => (candidate.startsWith(kind) ? candidate.slice(kind.length) : []));
    const near = nearest(name.slice(kind.length), new Set(names)).map((candidate) => kind + candidate);
    const hint = near.length > 0 ? `did you mean ${near.join(" or ")}?` : "ListModels lists what there is";
    return new GatewayError("MODEL_NOT_FOUND", `${why}; ${hint}`, { metadata: { model: name } });
  }

  function turnedOff(name: string, provider: string): GatewayError {
    const reason = known.find((candidate) => candidate.name === provider)?.reason ?? "turn it on in the configuration";
    const listed = models.find((model) => isNamed(model, name))?.id ?? "";
    const elsewhere = sameWeights(listed).filter((id) => on.has(byName.get(id)?.provider ?? ""));
    const also =
      elsewhere.length > 0 ? `; other names of the same weights, whose providers are on: ${elsewhere.join(", ")}` : "";
    const message = `the model ${name} needs the provider ${provider}, which is off: ${reason}${also}`;
    return new GatewayError("MODEL_NOT_FOUND", message, { metadata: { model: name, provider } });
  }

  function entryOf(name: string, account: string): Model | undefined {
    const entry = byName.get(name) ?? byProvider.get(name);
    return entry !== undefined && visible(entry, account) ? entry : undefined;
  }

  function providerOf(name: string, account = ""): string | undefined {
    const entry = entryOf(name, account);
    if (entry !== undefined) return entry.provider;
    const slash = name.indexOf("/");
    if (slash < 0 || name.startsWith(deploymentPrefix)) return undefined;
    const provider = name.slice(0, slash);
    return on.has(provider) || known.some((candidate) => candidate.name === provider) ? provider : undefined;
  }

  function resolve(name: string, account = ""): Model {
    const entry = entryOf(name, account);
    if (entry !== undefined) {
      if (!on.has(entry.provider)) throw turnedOff(name, entry.provider);
      return entry;
    }
    if (name.startsWith(deploymentPrefix)) {
      throw notFound(name, account, `there is no deployment ${name.slice(deploymentPrefix.length)}`);
    }
    const slash = name.indexOf("/");
    if (slash < 0) {
      throw notFound(name, account, `there is no model ${name}; write provider/model for one that is not listed`);
    }
    const provider = name.slice(0, slash);
    const providerModel = name.slice(slash + 1);
    if (!on.has(provider)) {
      if (known.some((candidate) => candidate.name === provider)) throw turnedOff(name, provider);
      throw notFound(
        name,
        account,
        `there is no model ${name}, nor a provider ${provider} (those that are on: ${[...on].join(", ")})`,
      );
    }
    if (providerModel === "") throw notFound(name, account, `the model's name is missing after ${name}`);
    return withFamily(
      create(ModelSchema, { id: name, provider, displayName: providerModel, profile: "plain", providerModel }),
    );
  }

  return {
    resolve,
    providerOf,
    list: (provider, account = "") =>
      listed.filter((model) => visible(model, account) && (provider === undefined || model.provider === provider)),
    deploymentOf: (id) => deployments.get(id),
  };
}
