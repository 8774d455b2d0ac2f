import { clone, create } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import {
  type Model,
  type ModelCapabilities,
  ModelCapabilitiesSchema,
  ModelSchema,
} from "../gen/dragoman/v1/model_pb.js";
import { Profile } from "../gen/dragoman/v1/profile_pb.js";
import type { ConfiguredModel } from "../models/configured-model.ts";
import { deploymentId, deploymentName, findModel, indexModels } from "../models/find-model.ts";
import type { ParameterName } from "../models/parameter-names.ts";
import { profileFamilies } from "../profiles/profiles.ts";
import { profileValues } from "../profiles/select-profile.ts";
import type { ReportProblem } from "./config-error.ts";
import type { DeploymentSection, ModelSection } from "./model-schema.ts";
import type { FileSection } from "./schema.ts";
import { didYouMean, suggest } from "./suggest.ts";

type Facts = Pick<ModelSection, keyof ModelSection & keyof DeploymentSection>;

interface ModelSources {
  /** Built-in models of the catalog. */
  readonly listed: readonly Model[];
  /** Names of all known providers, configured or not. */
  readonly providers: readonly string[];
  readonly section: Pick<FileSection, "models" | "deployments">;
}

/**
 * Resolves the `models` entries of the file, then its `deployments`. Each key of an entry replaces one fact of the
 * model that the entry changes or deploys. Reports unknown names and names that two models share.
 */
export function resolveModels({ listed, providers, section }: ModelSources, report: ReportProblem): ConfiguredModel[] {
  const models = Object.entries(section.models).map(([id, entry]) => {
    checkEntry(`models.${id}`, entry, providers, report);
    return configure(baseModel(id, entry, { listed, providers }, report), entry);
  });
  const changed = new Map(models.map(({ model }) => [model.id, model]));
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
    const target = targets.find(entry.model)?.id;
    const inherited = models.find((configured) => configured.model.id === target)?.unsupported ?? [];
    const facts = { ...entry, unsupported_parameters: entry.unsupported_parameters ?? [...inherited] };
    return { ...configure(model, facts), account, completionOnly };
  });
  return [...models, ...deployments];
}

/** Reports a deployment whose account no API key can use. Otherwise its callers would get "there is no deployment". */
export function reportUnreachable(
  deployments: FileSection["deployments"],
  { mode, keys }: { readonly mode: string; readonly keys: readonly { readonly accounts: readonly string[] }[] },
  report: ReportProblem,
): void {
  if (mode !== "keys" || keys.length === 0 || keys.some(({ accounts }) => accounts.length === 0)) return;
  const accounts = [...new Set(keys.flatMap((key) => key.accounts))];
  for (const [id, { account }] of Object.entries(deployments)) {
    if (account === undefined || accounts.includes(account)) continue;
    report(
      `deployments.${id}.account`,
      "is not an account of any key, so no caller could use it",
      suggest(account, accounts),
    );
  }
}

export const nameFix = `write 1 to 256 characters without whitespace, not starting with \`${deploymentName("")}\``;

/** Returns whether a request can name a model of this id or alias that is no deployment. */
export function isModelName(name: string): boolean {
  return /^\S{1,256}$/.test(name) && deploymentId(name) === undefined;
}

/** Returns the model that a `models` entry changes: built-in, `provider/model` of a known provider, or new. */
function baseModel(
  id: string,
  entry: ModelSection,
  { listed, providers }: Omit<ModelSources, "section">,
  report: ReportProblem,
): Model {
  const path = `models.${id}`;
  const alias = listed.find(({ aliases }) => aliases.includes(id));
  if (alias !== undefined) report(path, `is an alias of ${alias.id}`, `write \`${alias.id}\` instead`);
  if (!isModelName(id)) report(path, "is not a valid model id", nameFix);
  for (const [index, name] of (entry.aliases ?? []).entries()) {
    if (!isModelName(name)) report(`${path}.aliases[${index}]`, "is not a valid model name", nameFix);
  }
  const found = findModel(indexModels(listed), id, providers);
  const base = found && clone(ModelSchema, found);
  if (base === undefined && entry.provider === undefined) {
    const ids = listed.map((model) => model.id);
    const fix = didYouMean(id, ids) ?? "write the name of a provider for a new model";
    report(`${path}.provider`, "is missing, and the catalog has no model of this name", fix);
  }
  const model = base ?? create(ModelSchema, { id, displayName: id, providerModel: id });
  const { provider = model.provider, provider_model: providerModel = model.providerModel } = entry;
  return { ...model, provider, providerModel, aliases: [...(entry.aliases ?? model.aliases)] };
}

/** Models that a deployment can name in `model`. */
interface Targets {
  find(name: string): Model | undefined;
  readonly names: readonly string[];
}

/** Returns a copy of the model that a deployment names, with the deployment's id and the profile `egp-deployment`. */
function deployedModel(id: string, entry: DeploymentSection, targets: Targets, report: ReportProblem): Model {
  const path = `deployments.${id}`;
  // The id is a path segment in the Scale EGP deployments API, and part of ChatRequest.model.
  if (!/^[\w.:-]{1,128}$/.test(id)) {
    report(path, "is not a valid deployment id", "write 1 to 128 letters, digits, `.`, `_`, `:` or `-`");
  }
  const target = targets.find(entry.model);
  if (target === undefined) {
    const problem = "is neither a model in the catalog nor provider/model with a known provider";
    report(`${path}.model`, problem, didYouMean(entry.model, targets.names) ?? "ListModels lists the valid names");
  }
  const base = target === undefined ? create(ModelSchema) : clone(ModelSchema, target);
  // A completion-only model gets the last message as its prompt, without a chat template.
  const templateFamily = entry.completion_only ? "none" : base.templateFamily;
  return {
    ...base,
    id: deploymentName(id),
    displayName: id,
    aliases: [],
    profile: Profile.EGP_DEPLOYMENT,
    templateFamily,
  };
}

function configure(base: Model, facts: Facts): ConfiguredModel {
  const model: Model = {
    ...base,
    displayName: facts.display_name ?? base.displayName,
    profile: facts.profile ? profileValues[facts.profile] : base.profile,
    contextWindowTokens: facts.context_window ?? base.contextWindowTokens,
    maxOutputTokens: facts.max_output_tokens ?? base.maxOutputTokens,
    family: facts.family ?? base.family,
    templateFamily: facts.template_family ?? base.templateFamily,
    reasoningEfforts: facts.reasoning_efforts ?? base.reasoningEfforts,
    supportedParameters: facts.supported_parameters ?? base.supportedParameters,
  };
  if (facts.max_temperature !== undefined) model.maxTemperature = facts.max_temperature;
  if (model.capabilities !== undefined) model.capabilities = { ...model.capabilities, ...impliedCapabilities(facts) };
  if (facts.capabilities !== undefined) model.capabilities = changeCapabilities(model.capabilities, facts.capabilities);
  const parameters = facts.parameters.map(({ description = "", ...rest }) => ({ ...rest, description }));
  const unsupported = facts.unsupported_parameters ?? [];
  return { model, account: "", parameters, completionOnly: false, ...(unsupported.length > 0 && { unsupported }) };
}

/** Capabilities that a model with a parameter has. */
const capabilitiesOf: Readonly<Partial<Record<ParameterName, keyof ModelCapabilities>>> = {
  tools: "tools",
  parallel_tool_calls: "parallelToolCalls",
  "output_format.json_object": "jsonObject",
  "output_format.json_schema": "jsonSchema",
  "output_format.regex": "regex",
  "parameters.logprobs": "logprobs",
  "parameters.top_logprobs": "logprobs",
  "reasoning.effort": "reasoning",
  "reasoning.budget_tokens": "reasoning",
  chat_template: "chatTemplate",
};

function impliedCapabilities(facts: Facts): Partial<ModelCapabilities> {
  const { supported_parameters: supported = [], reasoning_efforts: efforts = [] } = facts;
  const names = efforts.length > 0 ? [...supported, "reasoning.effort" as const] : supported;
  return Object.fromEntries(names.flatMap((name) => (capabilitiesOf[name] ? [[capabilitiesOf[name], true]] : [])));
}

/**
 * Applies the configured flags. If the model's capabilities were unknown, omitted flags become false; only
 * `system_messages` becomes true, since nearly every model supports it.
 */
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

/** Checks the keys that `models` and `deployments` entries share. */
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
    if (first < index)
      report(`${path}.parameters[${index}].name`, `is already used by parameters[${first}]`, "rename or remove one");
  }
}

/** Reports aliases that are already the id or an alias of another model. */
function reportSharedNames(entries: readonly Model[], fromFile: FileSection["models"], report: ReportProblem): void {
  const owners = new Map<string, string>();
  for (const { id } of entries) owners.set(id, id);
  const isFromFile = ({ id }: Model) => Object.hasOwn(fromFile, id);
  // Models of the file come last, so that the report names the alias in the file.
  for (const { id, aliases } of [...entries.filter((model) => !isFromFile(model)), ...entries.filter(isFromFile)]) {
    for (const [index, alias] of aliases.entries()) {
      const owner = owners.get(alias);
      if (owner === undefined) owners.set(alias, id);
      else report(`models.${id}.aliases[${index}]`, `is already a name of ${owner}`, "remove it");
    }
  }
}
