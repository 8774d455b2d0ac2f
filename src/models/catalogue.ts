import { create } from "@bufbuild/protobuf";
import { GatewayError } from "../errors.ts";
import { type Model, ModelSchema } from "../gen/dragoman/v1/model_pb.js";
import { nearest } from "../nearest.ts";

/** The models that requests can name. */
export interface Catalogue {
  /**
   * The model of a name: an id or alias of the catalogue first, then `provider/model`, which always has the profile
   * `plain`. A `provider/model` that the catalogue lacks is passed on with unknown capabilities, so that a new model
   * needs no new release. Anything else is MODEL_NOT_FOUND.
   */
  resolve(name: string): Model;
  /** The entries, ordered by id, of one provider or of all that are on. */
  list(provider?: string): readonly Model[];
}

/** A provider that this service knows, and what to do to turn it on. */
export interface KnownProvider {
  readonly name: string;
  readonly reason: string;
}

/**
 * `providers` are the names of those that are on; `known` tells callers how to turn on the others. Two entries with one
 * name are a mistake in the program and throw.
 */
export function createCatalogue(
  entries: readonly Model[],
  providers: readonly string[],
  known: readonly KnownProvider[] = [],
): Catalogue {
  const on = new Set(providers);
  const byName = new Map<string, Model>();
  const byProvider = new Map<string, Model>();
  for (const entry of entries) {
    for (const name of [entry.id, ...entry.aliases]) {
      if (byName.has(name)) throw new Error(`two models are named ${name}`);
      byName.set(name, entry);
    }
    const path = `${entry.provider}/${entry.providerModel}`;
    if (!byProvider.has(path)) byProvider.set(path, { ...entry, id: path, aliases: [], profile: "plain" });
  }
  const listed = entries.filter(({ provider }) => on.has(provider)).sort((a, b) => (a.id < b.id ? -1 : 1));

  function notFound(name: string, why: string): GatewayError {
    const names = [...byName, ...byProvider]
      .filter(([, { provider }]) => on.has(provider))
      .map(([candidate]) => candidate);
    const near = nearest(name, new Set(names));
    const hint = near.length > 0 ? `did you mean ${near.join(" or ")}?` : "ListModels lists what there is";
    return new GatewayError("MODEL_NOT_FOUND", `${why}; ${hint}`, { metadata: { model: name } });
  }

  function turnedOff(name: string, provider: string): GatewayError {
    const reason = known.find((candidate) => candidate.name === provider)?.reason ?? "turn it on in the configuration";
    const message = `the model ${name} needs the provider ${provider}, which is off: ${reason}`;
    return new GatewayError("MODEL_NOT_FOUND", message, { metadata: { model: name, provider } });
  }

  function resolve(name: string): Model {
    const entry = byName.get(name) ?? byProvider.get(name);
    if (entry !== undefined) {
      if (!on.has(entry.provider)) throw turnedOff(name, entry.provider);
      return entry;
    }
    const slash = name.indexOf("/");
    if (slash < 0) throw notFound(name, `there is no model ${name}; write provider/model for one that is not listed`);
    const provider = name.slice(0, slash);
    const providerModel = name.slice(slash + 1);
    if (!on.has(provider)) {
      if (known.some((candidate) => candidate.name === provider)) throw turnedOff(name, provider);
      throw notFound(
        name,
        `there is no model ${name}, nor a provider ${provider} (those that are on: ${[...on].join(", ")})`,
      );
    }
    if (providerModel === "") throw notFound(name, `the model's name is missing after ${name}`);
    return create(ModelSchema, { id: name, provider, displayName: providerModel, profile: "plain", providerModel });
  }

  return {
    resolve,
    list: (provider) => (provider === undefined ? listed : listed.filter((model) => model.provider === provider)),
  };
}
