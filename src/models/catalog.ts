import type { RouteSettings } from "../config/route.ts";
import { GatewayError } from "../errors.ts";
import type { Model } from "../gen/dragoman/v1/model_pb.js";
import { nearest } from "../nearest.ts";
import type { ConfiguredModel } from "./configured-model.ts";
import { createFinder, deploymentId, deploymentName, indexModels, unlistedModel } from "./find-model.ts";
import type { ProviderStatus } from "./provider-status.ts";
import { RouteModels } from "./route-models.ts";
import { sameWeights } from "./same-weights.ts";
import type { ServedModel } from "./served-model.ts";

/** The models that requests can name. */
export interface Catalog {
  /**
   * Resolves a name: first as a route, then as an id or alias in the catalog, then as `provider/model`. An unlisted
   * `provider/model` is accepted with unknown capabilities, so that a new model needs no new release. `Model.profile` of
   * the result is the model's own profile; PROFILE_UNSPECIFIED if it has none.
   *
   * The model of a route has the facts that hold for all its usable targets: the capabilities that every one has, and
   * the smallest limits. Its provider and `providerModel` are those of the first, and its profile is the own profile of
   * the first, else that of the route. A target is usable if its provider is configured, the account may use it, and it
   * has a weight and the capabilities that the route requires.
   *
   * Throws PROVIDER_NOT_CONFIGURED if the model's provider is off, and MODEL_NOT_FOUND for any other name. For a
   * deployment of another account, the error text is the same as for one that does not exist (Scale EGP deployments
   * API), and so is that for a route whose targets are all such deployments.
   */
  resolve(name: string, account?: string): Model;
  /** Resolves the name of a target: as `resolve`, but a name never means a route. */
  resolveTarget(name: string, account?: string): Model;
  /** Returns the route with this id. Undefined if the name is not that of a route. */
  routeOf(name: string): RouteSettings | undefined;
  /**
   * Returns the models of the usable targets of a route, in the order of its tiers, for a model of the route that
   * `resolve` or `list` returned. Undefined for any other model.
   */
  targetsOf(model: Model): readonly Model[] | undefined;
  /**
   * Returns the provider of the model that a name resolves to, configured or not. Undefined if the name does not
   * resolve for this account.
   */
  providerOf(name: string, account?: string): string | undefined;
  /** Returns the names of the providers that have the API of a provider: its own, and those that the file adds. */
  providersOf(dialect: string): readonly string[];
  /**
   * Returns the models and routes that an account may use, ordered by id, of one configured provider or of all of them.
   * A route replaces the model with its id.
   *
   * @param served models that servers list: they are in the list, too, unless the catalog or a route has the name
   */
  list(provider?: string, account?: string, served?: readonly ServedModel[]): readonly Model[];
  /**
   * Returns the provider of the built-in model with this `Model.id`, before the configuration changes it. Undefined if
   * the model is not built in.
   */
  listedProviderOf(id: string): string | undefined;
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
  routes: readonly RouteSettings[] = [],
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
  const complete = entries.map(withFamily);
  const replaced = complete.map((entry) => deployments.get(entry.id)?.model ?? entry);
  const models = [...replaced, ...configuredModels.filter((model) => !replaced.includes(model))];
  throwIfShared(models.flatMap(({ id, aliases }) => [id, ...aliases]));
  const index = indexModels(models, complete);
  const listedProviders = new Map(entries.map(({ id, provider }) => [id, provider]));
  const find = createFinder(index, knownNames, withFamily);
  const routeModels = new RouteModels(routes, { find, visible, on });
  const isRoute = (name: string) => routeModels.settingsOf(name) !== undefined;
  // An alias that is the id of a route means the route, so that the model does not show it.
  const shown = new Map(
    models.flatMap((model): [string, Model][] => {
      const aliases = model.aliases.filter((alias) => !isRoute(alias));
      return aliases.length < model.aliases.length ? [[model.id, { ...model, aliases }]] : [];
    }),
  );
  const listed = models
    .filter(({ id, provider }) => on.has(provider) && !isRoute(id))
    .map((model) => shown.get(model.id) ?? model)
    .sort(byId);

  /** Models of `list` by what the server tells, so that a model is the same object as long as the server tells the same. */
  const ofServers = new WeakMap<ServedModel, Model>();

  function listServed(served: ServedModel): readonly Model[] {
    const { provider, providerModel, contextWindowTokens } = served;
    const id = `${provider}/${providerModel}`;
    if (!on.has(provider) || isRoute(id) || index.byName.has(id) || index.byPath.has(id)) return [];
    const model =
      ofServers.get(served) ?? withFamily({ ...unlistedModel(provider, providerModel), contextWindowTokens });
    ofServers.set(served, model);
    return [model];
  }

  function visible({ id }: Model, account: string): boolean {
    const owner = deployments.get(id)?.account ?? "";
    return owner === "" || owner === account;
  }

  /** Returns the ids of a model at other configured providers: those with the same API, then those with its weights. */
  function elsewhere({ id, provider, providerModel }: Model): readonly string[] {
    const kin = providersOf(statuses.get(provider)?.dialect ?? provider);
    const same = listed.filter((model) => kin.includes(model.provider) && model.providerModel === providerModel);
    const weights = sameWeights(id).filter((name) => on.has(index.byName.get(name)?.provider ?? ""));
    return [...same.map((model) => model.id), ...weights];
  }

  function providersOf(dialect: string): readonly string[] {
    return [dialect, ...known.filter((status) => status.dialect === dialect).map(({ name }) => name)];
  }

  /** Names with a provider in front that a name without one can mean: at most three, of configured providers. */
  function withProvider(name: string, matches: (model: Model) => boolean): readonly string[] {
    const found = models.filter((model) => on.has(model.provider) && !isDeployed(model) && matches(model));
    return [...new Set(found.map(({ provider }) => `${provider}/${name}`))].slice(0, 3);
  }

  /** Creates the error for a name that does not resolve to a model. */
  function notFound(name: string, account: string): GatewayError {
    const deployment = deploymentId(name);
    const message = deployment === undefined ? noModel(name, account) : noDeployment(deployment, account);
    return new GatewayError("MODEL_NOT_FOUND", message, { metadata: { model: name } });
  }

  function noDeployment(id: string, account: string): string {
    const why = `there is no deployment ${id}`;
    if (index.byName.has(id) || index.byPath.has(id)) {
      return `${why}, but there is a model ${id}; call it as a model, not as a deployment`;
    }
    // Compare the ids without their common prefix, which would make any two of them similar.
    const near = nearest(
      id,
      [...usableNames(account)].flatMap((candidate) => deploymentId(candidate) ?? []),
    );
    return `${why}; ${didYouMean(near.map(deploymentName)) ?? validNames}`;
  }

  function noModel(name: string, account: string): string {
    const slash = name.indexOf("/");
    const provider = name.slice(0, Math.max(0, slash));
    if (knownNames.includes(provider)) return `the model's name is missing after ${name}; ${validNames}`;
    const exact = withProvider(name, ({ providerModel }) => providerModel === name);
    if (exact.length > 0) return `there is no model ${name}; write ${exact.join(" or ")}`;
    const usable = usableNames(account);
    const similar = nearest(name, usable);
    const near = didYouMean(similar.length > 0 || slash >= 0 ? similar : namesWith(name, usable));
    if (slash < 0)
      return `there is no model ${name}; write provider/model for an unlisted model; ${near ?? validNames}`;
    // Names such as org/model are those of providers that serve the models of many vendors.
    const hosted = withProvider(name, ({ providerModel }) => providerModel.includes("/"));
    const first = hosted.length > 0 ? `write the provider first, such as ${hosted.join(" or ")}` : validNames;
    return `there is no model ${name} and no provider ${provider} (configured: ${[...on].join(", ")}); ${near ?? first}`;
  }

  /** Returns up to three names that contain a written one, such as `sonnet`, shortest first. */
  function namesWith(name: string, usable: ReadonlySet<string>): readonly string[] {
    const wanted = name.toLowerCase();
    if (wanted.length < 4) return [];
    const found = [...usable].filter((candidate) => candidate.toLowerCase().includes(wanted));
    return found.sort((a, b) => a.length - b.length || (a < b ? 1 : -1)).slice(0, 3);
  }

  /** Names that an account can use. */
  function usableNames(account: string): ReadonlySet<string> {
    const usable = [...index.byName, ...index.byPath].filter(
      ([name, model]) => on.has(model.provider) && visible(model, account) && !isRoute(name),
    );
    return new Set([...usable.map(([name]) => name), ...usableRoutes(account).map(({ id }) => id)]);
  }

  /** Returns why a provider is not configured. */
  function reasonOf(provider: string): string {
    return statuses.get(provider)?.reason ?? "enable it in the configuration";
  }

  function notConfigured(name: string, provider: string): GatewayError {
    const reason = reasonOf(provider);
    const model = models.find((one) => isNamed(one, name));
    const others = model === undefined ? [] : elsewhere(model);
    const also = others.length > 0 ? `; the same weights are available as ${others.join(", ")}` : "";
    const message = `the model ${name} needs the provider ${provider}, which is not configured: ${reason}${also}`;
    return new GatewayError("PROVIDER_NOT_CONFIGURED", message, { metadata: { model: name, provider } });
  }

  function usableRoutes(account: string): readonly Model[] {
    return routeModels.ids.flatMap((id) => routeModels.modelOf(id, account) ?? []);
  }

  function resolveRoute(name: string, account: string): Model {
    const model = routeModels.modelOf(name, account);
    if (model !== undefined) return model;
    const [first, ...others] = new Set(routeModels.visibleTargets(name, account).map(({ provider }) => provider));
    if (first === undefined) throw notFound(name, account);
    const reasons = [first, ...others].map((provider) => `${provider} (${reasonOf(provider)})`).join(", ");
    const message = `the route ${name} needs one of its providers, but none is configured: ${reasons}`;
    throw new GatewayError("PROVIDER_NOT_CONFIGURED", message, { metadata: { model: name, provider: first } });
  }

  function providerOf(name: string, account = ""): string | undefined {
    if (isRoute(name)) {
      return (routeModels.modelOf(name, account) ?? routeModels.visibleTargets(name, account)[0])?.provider;
    }
    const found = find(name);
    return found !== undefined && visible(found, account) ? found.provider : undefined;
  }

  function resolveTarget(name: string, account = ""): Model {
    const found = find(name);
    if (found === undefined || !visible(found, account)) throw notFound(name, account);
    if (!on.has(found.provider)) throw notConfigured(name, found.provider);
    return found;
  }

  return {
    resolve(name, account = "") {
      if (isRoute(name)) return resolveRoute(name, account);
      const model = resolveTarget(name, account);
      return shown.get(model.id) ?? model;
    },
    resolveTarget,
    routeOf: (name) => routeModels.settingsOf(name),
    targetsOf: (model) => routeModels.targetsOf(model),
    providerOf,
    providersOf,
    list(provider, account = "", served = []) {
      const usable = listed.filter((model) => visible(model, account));
      const further = [...served.flatMap(listServed), ...(routes.length === 0 ? [] : usableRoutes(account))];
      const all = further.length === 0 ? usable : [...usable, ...further].sort(byId);
      return provider === undefined ? all : all.filter((model) => model.provider === provider);
    },
    listedProviderOf: (id) => listedProviders.get(id),
    deploymentOf: (id) => deployments.get(id),
  };
}

function byId(a: Model, b: Model): number {
  return a.id < b.id ? -1 : 1;
}

/** Where to find the valid names, in words that fit every API: ModelService, or GET /v1/models. */
const validNames = "the list of models has the valid names";

function didYouMean(names: readonly string[]): string | undefined {
  return names.length > 0 ? `did you mean ${names.join(" or ")}?` : undefined;
}

function isDeployed({ id }: Model): boolean {
  return deploymentId(id) !== undefined;
}

function throwIfShared(names: readonly string[]): void {
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) throw new Error(`two models are named ${name}`);
    seen.add(name);
  }
}
