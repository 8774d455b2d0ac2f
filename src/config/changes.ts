import type { Config } from "./config.ts";
import { reloadRules } from "./reload-rules.ts";
import { sameValue } from "./same-value.ts";

/** Names of entries that differ between two configurations. */
export interface ChangedNames {
  readonly added?: readonly string[];
  readonly removed?: readonly string[];
  readonly changed?: readonly string[];
}

/** How a configuration differs from the one before. It has names and no values, which may be secret. */
export interface Changes {
  /** Keys of the file whose values differ, such as `limits.max_values`. */
  readonly keys: readonly string[];
  /** Names of entries, by the key of the file. Only keys with a difference. */
  readonly names: Readonly<Record<string, ChangedNames>>;
}

/** Returns the keys that differ between two configurations and that only a restart applies. */
export function restartKeys(running: Config, next: Config): readonly string[] {
  return differing(running, next).filter((key) => reloadRules[key]?.follows === "restart");
}

export function changesBetween(running: Config, next: Config): Changes {
  const names = Object.entries(namedParts).flatMap(([key, entriesOf]) => {
    const changed = changedNames(entriesOf(running), entriesOf(next));
    return changed === undefined ? [] : [[key, changed] as const];
  });
  return { keys: differing(running, next), names: Object.fromEntries(names) };
}

function differing(running: Config, next: Config): readonly string[] {
  return Object.entries(reloadRules).flatMap(([key, { of }]) => (sameValue(of(running), of(next)) ? [] : [key]));
}

/** Entries with names: a pair of name and value for each. */
const namedParts: Readonly<Record<string, (config: Config) => ReadonlyMap<string, unknown>>> = {
  "authentication.keys": ({ authentication }) => byId(authentication.keys),
  accounts: ({ accounts }) => byId(accounts),
  providers: ({ providers }) => new Map(providers.map((settings) => [settings.name, settings])),
  models: ({ models }) => new Map(models.map((entry) => [entry.model.id, entry])),
  routes: ({ routes }) => byId(routes),
  prices: ({ prices }) => new Map(prices.map((override) => [override.name, override])),
};

function byId(entries: readonly { readonly id: string }[]): ReadonlyMap<string, unknown> {
  return new Map(entries.map((entry) => [entry.id, entry]));
}

function changedNames(
  running: ReadonlyMap<string, unknown>,
  next: ReadonlyMap<string, unknown>,
): ChangedNames | undefined {
  const added = [...next.keys()].filter((name) => !running.has(name));
  const removed = [...running.keys()].filter((name) => !next.has(name));
  const changed = [...next.keys()].filter((name) => running.has(name) && !sameValue(running.get(name), next.get(name)));
  const found = Object.entries({ added, removed, changed }).filter(([, names]) => names.length > 0);
  return found.length === 0 ? undefined : Object.fromEntries(found);
}
