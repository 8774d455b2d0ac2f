import { clone } from "@bufbuild/protobuf";
import { type Model, ModelSchema } from "../gen/dragoman/v1/model_pb.js";
import { Profile } from "../gen/dragoman/v1/profile_pb.js";
import { nearest } from "../nearest.ts";
import type { ReportProblem } from "./config-error.ts";
import type { ConfigurableProvider } from "./provider.ts";
import { suggest } from "./suggest.ts";

interface AddedSources {
  /** The sections of `providers`, by name. */
  readonly sections: Readonly<Record<string, { readonly dialect?: string | undefined }>>;
  /** Providers that Dragoman knows by their own names. */
  readonly known: readonly ConfigurableProvider[];
  /** Definitions that `dialect` can name. */
  readonly dialects: readonly ConfigurableProvider[];
}

/** Names that would be ambiguous: of deployments, of audio without a provider, and of members of each object. */
function isReserved(name: string): boolean {
  return name === "deployments" || name === "dragoman" || name in {};
}

/** Returns the definitions of the providers that the file adds by a dialect. Reports wrong names and dialects. */
export function addedProviders(
  { sections, known, dialects }: AddedSources,
  report: ReportProblem,
): readonly ConfigurableProvider[] {
  const knownNames = known.map(({ name }) => name);
  const usable = dialects.filter(canRepeat);
  const usableNames = usable.map(({ name }) => name);
  return Object.entries(sections).flatMap(([name, { dialect }]) => {
    const path = `providers.${name}`;
    if (knownNames.includes(name)) {
      if (dialect !== undefined && dialect !== name) {
        report(`${path}.dialect`, `cannot differ from ${name}, a known provider`, "remove it, or choose another name");
      }
      return [];
    }
    if (dialect === undefined) {
      const [near] = nearest(name, knownNames, 1);
      const add = "write its `dialect`, such as chat-completions, to add a provider";
      report(path, "is not a known provider", near === undefined ? add : `did you mean \`${near}\`? Or ${add}`);
      return [];
    }
    if (!/^[a-z0-9._-]{1,64}$/.test(name) || isReserved(name)) {
      const fix = isReserved(name) ? "choose another name" : "write 1 to 64 of a-z, 0-9, `-`, `_` and `.`";
      report(path, isReserved(name) ? "is a reserved name" : "is not a valid provider name", fix);
      return [];
    }
    const definition = usable.find((candidate) => candidate.name === dialect);
    if (definition === undefined) {
      const isSingle = dialects.some((candidate) => candidate.name === dialect);
      const problem = isSingle ? "is a provider that exists only once" : "is not a known dialect";
      report(`${path}.dialect`, problem, suggest(dialect, usableNames));
      return [];
    }
    return [{ ...definition, name, dialect, family: definition.family ?? dialect }];
  });
}

/** Whether there can be a second provider of a kind. The local model has one set of files and settings. */
function canRepeat({ variables, onBy }: ConfigurableProvider): boolean {
  return variables.baseUrl !== undefined || onBy === "always";
}

/**
 * Returns the catalog entries of added providers: each model of the dialect, with the same facts and the id
 * `<name>/<provider_model>`. Reports an id that another model has.
 */
export function addedModels(
  added: readonly ConfigurableProvider[],
  listed: readonly Model[],
  report: ReportProblem,
): readonly Model[] {
  const taken = new Set(listed.flatMap(({ id, aliases }) => [id, ...aliases]));
  return added.flatMap(({ name, dialect }) => {
    const models = new Map<string, Model>();
    for (const model of listed) {
      const id = `${name}/${model.providerModel}`;
      if (model.provider !== dialect || models.has(id)) continue;
      if (taken.has(id)) report(`providers.${name}`, `adds a second model ${id}`, "choose another name");
      models.set(id, { ...clone(ModelSchema, model), id, aliases: [], provider: name, profile: Profile.UNSPECIFIED });
    }
    return [...models.values()];
  });
}
