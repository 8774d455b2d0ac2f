import { type Model, ModelCapabilitiesSchema } from "../gen/dragoman/v1/model_pb.js";
import type { ConfiguredModel } from "../models/configured-model.ts";
import { deploymentId, deploymentName, findModel, indexModels } from "../models/find-model.ts";
import type { ReportProblem } from "./config-error.ts";
import type { RequiredCapability } from "./route.ts";
import type { RouteSection } from "./route-schema.ts";
import { didYouMean } from "./suggest.ts";

/** Where the targets of routes come from. */
export interface TargetSources {
  /** Built-in models of the catalog. */
  readonly listed: readonly Model[];
  /** Resolved `models` and `deployments`. */
  readonly models: readonly ConfiguredModel[];
  /** Names of all known providers, configured or not. */
  readonly providers: readonly string[];
}

/** Models that a target can name. */
export interface TargetIndex {
  /** Ids of the routes, which a target cannot name. */
  readonly routes: ReadonlySet<string>;
  /** Finds a model as the catalog does without routes. */
  find(name: string): Model | undefined;
  /** Names of models, for suggestions. */
  readonly names: readonly string[];
}

export function indexTargets({ listed, models, providers }: TargetSources, routeIds: readonly string[]): TargetIndex {
  const changed = new Map(models.map(({ model }) => [model.id, model]));
  const entries = [...new Set([...listed.map((entry) => changed.get(entry.id) ?? entry), ...changed.values()])];
  const index = indexModels(entries, listed);
  const routes = new Set(routeIds);
  const names = [...index.byName.keys(), ...index.byPath.keys()].filter((name) => !routes.has(name));
  return { routes, find: (name) => findModel(index, name, providers), names: [...new Set(names)] };
}

type TierSection = NonNullable<RouteSection["tiers"]>[number];

const tierFix = "write a list such as `- targets: [{ model: NAME }]`, with the name of a model";

/** Reports tiers without targets, and targets that do not exist or cannot get calls. */
export function checkTiers(
  id: string,
  path: string,
  tiers: readonly TierSection[] | undefined,
  index: TargetIndex,
  report: ReportProblem,
): void {
  if (tiers === undefined || tiers.length === 0) {
    report(path, tiers === undefined ? "is missing" : "is empty, so no target could serve the route", tierFix);
  }
  for (const [position, { targets = [] }] of (tiers ?? []).entries()) {
    const tierPath = `${path}[${position}].targets`;
    if (targets.length === 0) {
      report(tierPath, "is empty, so the tier could serve no call", "write `[{ model: NAME }]`, or remove the tier");
    } else if (targets.every(({ weight }) => weight === 0)) {
      report(tierPath, "has only weights of 0, so no target would get calls", "give at least one a weight above 0");
    }
    const owners = new Map<string, number>();
    for (const [place, { model: name }] of targets.entries()) {
      const modelPath = `${tierPath}[${place}].model`;
      // A route with the name of a model replaces it for callers, and can have it as a target.
      const model = index.routes.has(name) && name !== id ? undefined : index.find(name);
      if (model === undefined) {
        report(modelPath, ...unusable(name, index));
        continue;
      }
      const first = owners.get(identityOf(model));
      if (first === undefined) owners.set(identityOf(model), place);
      else report(modelPath, `is the same model as targets[${first}]`, "remove one, or give the other more weight");
    }
  }
}

/** Deployments of one model can have different owners, so they are different targets. */
function identityOf({ id, provider, providerModel }: Model): string {
  return deploymentId(id) === undefined ? `${provider}/${providerModel}` : id;
}

/** Returns the problem of a name that is no target, and its fix. */
function unusable(name: string, { routes, find, names }: TargetIndex): [problem: string, fix: string] {
  if (routes.has(name)) {
    const model = find(name);
    const path = model && `${model.provider}/${model.providerModel}`;
    const fix = path === undefined || routes.has(path) ? "write its targets instead" : `write \`${path}\``;
    return ["is a route, and a target must be a model", fix];
  }
  const deployment = deploymentId(name);
  // Compare the ids of deployments without their common prefix, which would make any two of them similar.
  const near =
    deployment === undefined
      ? didYouMean(name, names)
      : didYouMean(
          deployment,
          names.flatMap((known) => deploymentId(known) ?? []),
        )?.replace("`", `\`${deploymentName("")}`);
  return ["is neither a model in the catalog nor provider/model with a known provider", near ?? additionOf(name)];
}

/** Returns the fix for a name that is similar to no known one: what to add to the configuration. */
function additionOf(name: string): string {
  if (deploymentId(name) !== undefined) return "add it under `deployments`";
  const provider = /^([a-z0-9._-]{1,64})\/./.exec(name)?.[1];
  if (provider !== undefined) return `add \`${provider}\` under \`providers\`, or write an id of the catalog`;
  return "write an id of the catalog or provider/model";
}

/**
 * Reports required capabilities that no target has, and those listed twice. A model with unknown capabilities may have
 * any.
 */
export function checkRequire(
  path: string,
  { require, tiers = [] }: Pick<RouteSection, "require" | "tiers">,
  { find }: TargetIndex,
  report: ReportProblem,
): void {
  for (const [position, name] of require.entries()) {
    const first = require.indexOf(name);
    if (first < position) report(`${path}[${position}]`, `is already at [${first}]`, "remove it");
  }
  const models = tiers.flatMap(({ targets = [] }) => targets.map(({ model }) => find(model)));
  const has = (model: Model | undefined, name: RequiredCapability) => model?.capabilities?.[name] ?? true;
  if (models.length === 0 || models.some((model) => require.every((name) => has(model, name)))) return;
  const missing = require.filter((name) => !models.some((model) => has(model, name)));
  const names = missing.map((name) => ModelCapabilitiesSchema.field[name].name);
  const lacking = missing.length === 0 ? "all of them together" : names.join(" and ");
  report(path, `needs ${lacking}, which no target has, so no caller could use the route`, "remove it, or add a target");
}
