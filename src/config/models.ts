import { clone, create } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import {
  type Model,
  type ModelCapabilities,
  ModelCapabilitiesSchema,
  ModelSchema,
} from "../gen/dragoman/v1/model_pb.js";
import type { ConfiguredModel } from "../models/configured-model.ts";
import { deploymentId, deploymentName, findModel, indexModels } from "../models/find-model.ts";
import { nearest } from "../nearest.ts";
import { type ProfileName, profileFamilies } from "../profiles/profiles.ts";
import type { ReportProblem } from "./config-error.ts";
import type { DeploymentSection, ModelSection } from "./model-schema.ts";
import type { FileSection } from "./schema.ts";
import { suggest } from "./suggest.ts";

type Facts = Pick<ModelSection, keyof ModelSection & keyof DeploymentSection>;

/** What the entries of the file are made from. */
interface ModelSources {
  /** The models that the service lists by itself. */
  readonly listed: readonly Model[];
  /** The names of all known providers, on or off. */
  readonly providers: readonly string[];
  readonly section: Pick<FileSection, "profile" | "models" | "deployments">;
}

/**
 * The models that the file adds or changes, then its deployments, each as it results: what a listed entry says, changed
 * field by field. Reports names that lead nowhere or to two models.
 */
export function resolveModels({ listed, providers, section }: ModelSources, report: ReportProblem): ConfiguredModel[] {
  const own = Object.entries(section.models).map(([id, entry]) => {
    checkEntry(`models.${id}`, entry, providers, report);
    return configure(ownModel(id, entry, { listed, providers, section }, report), entry);
  });
  const changed = new Map(own.map(({ model }) => [model.id, model]));
  const entries = [...new Set([...listed.map((entry) => changed.get(entry.id) ?? entry), ...changed.values()])];
  reportSharedNames(entries, section.models, report);
  const index = indexModels(entries, listed);
  const targets: Targets = {
    find: (name) => findModel(index, name, providers),
    names: entries.flatMap((model) => [model.id, ...model.aliases]),
  };
  const deployments = Object.entries(section.deployments).map(([id, entry]) => {
    checkEntry(`deployments.${id}`, entry, providers, report);
    const { account = "", completion_only: completionOnly } = entry;
    const model = deployedModel(id, entry, targets, report);
    return { ...configure(model, entry), account, completionOnly };
  });
  return [...own, ...deployments];
}

/** The listed models under the profile that the configuration gives to bare ids. `provider/model` stays `plain`. */
export function withProfile(listed: readonly Model[], profile: ProfileName | undefined): readonly Model[] {
  if (profile === undefined) return listed;
  return listed.map((model) => (isBare(model) ? { ...model, profile } : model));
}

/** Reports a deployment of an account that no caller could select, which is hard to tell from a wrong id. */
export function reportUnreachable(
  deployments: FileSection["deployments"],
  { mode, keys }: { readonly mode: string; readonly keys: readonly { readonly accounts: readonly string[] }[] },
  report: ReportProblem,
): void {
  if (mode !== "keys" || keys.some(({ accounts }) => accounts.length === 0)) return;
  const accounts = [...new Set(keys.flatMap((key) => key.accounts))];
  for (const [id, { account }] of Object.entries(deployments)) {
    if (account === undefined || accounts.includes(account)) continue;
    report(
      `deployments.${id}.account`,
      "is an account of no key, so that nobody could use it",
      suggest(account, accounts),
    );
  }
}

const nameFix = `write 1 to 256 characters without blanks, not beginning with \`${deploymentName("")}\``;

function isModelName(name: string): boolean {
  return /^\S{1,256}$/.test(name) && deploymentId(name) === undefined;
}

function isBare({ id, provider }: Model): boolean {
  return !id.startsWith(`${provider}/`);
}

/** The entry under `models` before its facts: a listed one, one of a known provider by its path, or a new one. */
function ownModel(
  id: string,
  entry: ModelSection,
  { listed, providers, section }: ModelSources,
  report: ReportProblem,
): Model {
  const path = `models.${id}`;
  const alias = listed.find(({ aliases }) => aliases.includes(id));
  if (alias !== undefined) report(path, `is another name of ${alias.id}`, `write \`${alias.id}\` instead`);
  if (!isModelName(id)) report(path, "is not an id for a model", nameFix);
  for (const [index, name] of (entry.aliases ?? []).entries()) {
    if (!isModelName(name)) report(`${path}.aliases[${index}]`, "is not a name for a model", nameFix);
  }
  const found = findModel(indexModels(listed), id, providers);
  const base = found && clone(ModelSchema, found);
  if (base === undefined && entry.provider === undefined) {
    const ids = listed.map((model) => model.id);
    const fix = didYouMean(id, ids) ?? "write the name of a provider for a new model";
    report(`${path}.provider`, "is missing, and the catalog has no model of this name", fix);
  }
  const model =
    base ?? create(ModelSchema, { id, displayName: id, providerModel: id, profile: section.profile ?? "plain" });
  const { provider = model.provider, provider_model: providerModel = model.providerModel } = entry;
  const profile = section.profile !== undefined && isBare(model) ? section.profile : model.profile;
  return { ...model, provider, providerModel, profile, aliases: [...(entry.aliases ?? model.aliases)] };
}

/** What deployments can point at. */
interface Targets {
  find(name: string): Model | undefined;
  readonly names: readonly string[];
}

/** A deployment's model before its facts: that of its target, under a name and a profile of its own. */
function deployedModel(id: string, entry: DeploymentSection, targets: Targets, report: ReportProblem): Model {
  const path = `deployments.${id}`;
  // A path segment on the HTTP surface of deployments (seed 003), and a part of ChatRequest.model.
  if (!/^[\w.:-]{1,128}$/.test(id)) {
    report(path, "is not an id for a deployment", "write letters, digits, `.`, `_`, `:` and `-`, at most 128");
  }
  const target = targets.find(entry.model);
  if (target === undefined) {
    const problem = "is neither a model of the catalog nor provider/model of a known provider";
    report(`${path}.model`, problem, didYouMean(entry.model, targets.names) ?? "ListModels lists what there is");
  }
  const base = target === undefined ? create(ModelSchema) : clone(ModelSchema, target);
  // A model without chat gets the prompt as it is.
  const templateFamily = entry.completion_only ? "none" : base.templateFamily;
  return { ...base, id: deploymentName(id), displayName: id, aliases: [], profile: "egp-deployment", templateFamily };
}

function configure(base: Model, facts: Facts): ConfiguredModel {
  const model: Model = {
    ...base,
    displayName: facts.display_name ?? base.displayName,
    profile: facts.profile ?? base.profile,
    contextWindowTokens: facts.context_window ?? base.contextWindowTokens,
    maxOutputTokens: facts.max_output_tokens ?? base.maxOutputTokens,
    family: facts.family ?? base.family,
    templateFamily: facts.template_family ?? base.templateFamily,
  };
  if (facts.max_temperature !== undefined) model.maxTemperature = facts.max_temperature;
  if (facts.capabilities !== undefined) model.capabilities = changeCapabilities(model.capabilities, facts.capabilities);
  const parameters = facts.parameters.map(({ description = "", ...rest }) => ({ ...rest, description }));
  return { model, account: "", parameters, completionOnly: false };
}

/** Where nothing was known, what is not named is off; but system messages, which nearly every model takes, are on. */
function changeCapabilities(
  known: ModelCapabilities | undefined,
  flags: NonNullable<Facts["capabilities"]>,
): ModelCapabilities {
  const changed = known ?? create(ModelCapabilitiesSchema, { systemMessages: true });
  const reflected = reflect(ModelCapabilitiesSchema, changed);
  for (const field of ModelCapabilitiesSchema.fields) {
    const value = flags[field.name];
    if (value !== undefined) reflected.set(field, value);
  }
  return changed;
}

/** What `models` and `deployments` have in common to be wrong. */
function checkEntry(
  path: string,
  entry: Facts & { readonly provider?: string | undefined },
  providers: readonly string[],
  report: ReportProblem,
): void {
  const { provider, family, parameters } = entry;
  if (provider !== undefined && !providers.includes(provider)) {
    report(`${path}.provider`, "is not a known provider", suggest(provider, providers));
  }
  const known = [...new Set([...profileFamilies, ...providers])];
  if (family !== undefined && !known.includes(family)) {
    report(`${path}.family`, "is not a known family", suggest(family, known));
  }
  for (const [index, { name }] of parameters.entries()) {
    const first = parameters.findIndex((parameter) => parameter.name === name);
    if (first < index) report(`${path}.parameters[${index}].name`, `is that of parameters[${first}] too`, "remove one");
  }
}

/** An alias, or a new id, may not be the name of another model. */
function reportSharedNames(entries: readonly Model[], own: FileSection["models"], report: ReportProblem): void {
  const owners = new Map<string, string>();
  for (const { id } of entries) owners.set(id, id);
  const fromFile = ({ id }: Model) => Object.hasOwn(own, id);
  for (const { id, aliases } of [...entries.filter((model) => !fromFile(model)), ...entries.filter(fromFile)]) {
    for (const [index, alias] of aliases.entries()) {
      const owner = owners.get(alias);
      if (owner === undefined) owners.set(alias, id);
      // Those of the file come last, so that it is one of them whose name is taken.
      else report(`models.${id}.aliases[${index}]`, `is a name of ${owner} too`, "remove it");
    }
  }
}

/** Unlike `suggest`, lists no names: the catalog is too long for an error. */
function didYouMean(name: string, names: readonly string[]): string | undefined {
  const [candidate] = nearest(name, names, 1);
  return candidate === undefined ? undefined : `did you mean \`${candidate}\`?`;
}
