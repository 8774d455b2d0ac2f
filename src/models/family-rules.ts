import type { Knowledge } from "./knowledge.ts";

/** Rules of one family of models. */
export interface Family<Rules> {
  /**
   * Matches the names of the family, in lower case. The groups `major` and `minor` are the version; a name may have
   * none.
   */
  readonly pattern: RegExp;
  /** Rules from each version on, the oldest first. */
  readonly versions: readonly [FromVersion<Rules>, ...FromVersion<Rules>[]];
}

type FromVersion<Rules> = readonly [version: string, rules: Rules];

/** Rules by family and version. The first family whose pattern matches a name applies. */
export interface FamilyRules<Rules> extends Knowledge {
  readonly families: readonly Family<Rules>[];
}

/**
 * Returns the rules for a model by its name: those of the newest listed version that is not newer than the model. A
 * model that is newer than all listed versions, or has no version in its name, thus gets the family's newest rules.
 * Undefined if the model is in none of the families.
 */
export function rulesFor<Rules>({ families }: FamilyRules<Rules>, name: string): Rules | undefined {
  // The map has rules of this type only, since it belongs to this list.
  const known = (found.get(families) ?? new Map()) as Map<string, Rules | undefined>;
  const rules = known.get(name);
  if (rules !== undefined || known.has(name)) return rules;
  if (known.size === 0) found.set(families, known);
  if (known.size >= mostKnown) known.clear();
  const searched = search(families, name);
  known.set(name, searched);
  return searched;
}

/** Rules by name, for each list of families. A call looks for its model in several lists, several times. */
const found = new WeakMap<object, Map<string, unknown>>();

/** Maximum number of names to remember for each list: a caller can name any number of models. */
const mostKnown = 1_000;

function search<Rules>(families: readonly Family<Rules>[], name: string): Rules | undefined {
  // Hosts, and operators who name deployments, write names in any case.
  const lower = name.toLowerCase();
  for (const { pattern, versions } of families) {
    const match = pattern.exec(lower);
    if (match === null) continue;
    const { major, minor = "0" } = match.groups ?? {};
    const version = major === undefined ? Number.POSITIVE_INFINITY : rank(`${major}.${minor}`);
    const [, rules] = versions.findLast(([from]) => rank(from) <= version) ?? versions[0];
    return rules;
  }
  return undefined;
}

/** Orders versions such as `5.2` and `5.10`. */
function rank(version: string): number {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major * 1000 + minor;
}
