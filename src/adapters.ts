import type { Config } from "./config/config.ts";
import type { ProviderKey, ProviderSettings } from "./config/provider.ts";
import { sameValue } from "./config/same-value.ts";
import type { Adapter } from "./providers/adapter.ts";
import { dialects } from "./providers/registry.ts";
import { TemplateSandbox } from "./templates/sandbox.ts";

type Settings = Pick<Config, "providers" | "limits">;

/** Returns the adapter to use instead of one that has its models in memory. */
type Replace = (adapter: Adapter) => Adapter;

interface Made {
  readonly settings: ProviderSettings;
  readonly adapter: Adapter;
}

/**
 * Adapters of the configured providers. A new configuration keeps the adapter of each provider whose settings are the
 * same, with its connections. The adapters share one sandbox for chat templates.
 */
export class Adapters {
  readonly #sandbox: TemplateSandbox;
  readonly #replaceInProcess: Replace;
  #made: ReadonlyMap<string, Made>;

  /**
   * @param config one whose adapters `loadAdapters` has loaded
   * @param replaceInProcess what to use for adapters that have their models in memory. Default: themselves
   */
  constructor(config: Settings, replaceInProcess: Replace = (adapter) => adapter) {
    this.#replaceInProcess = replaceInProcess;
    this.#sandbox = new TemplateSandbox(templateLimits(config));
    this.#made = this.#make(config, new Map());
  }

  get all(): readonly Adapter[] {
    return listOf(this.#made);
  }

  /**
   * Prepares the adapters of a new configuration.
   *
   * @returns the adapters, and the function that makes them those of this object. Until then, nothing has changed.
   */
  prepare(config: Settings): { readonly adapters: readonly Adapter[]; readonly commit: () => void } {
    const made = this.#make(config, this.#made);
    return {
      adapters: listOf(made),
      commit: () => {
        this.#made = made;
        this.#sandbox.setLimits(templateLimits(config));
      },
    };
  }

  #make({ providers }: Settings, former: ReadonlyMap<string, Made>): ReadonlyMap<string, Made> {
    const made = new Map<string, Made>();
    for (const written of providers) {
      const known = former.get(written.name);
      if (known !== undefined && sameValue(known.settings, written)) {
        made.set(written.name, known);
        continue;
      }
      const settings = withFormerKeys(written, known?.settings.keys ?? []);
      const definition = definitionOf(settings);
      if (definition === undefined) continue;
      const created = definition.create(settings, this.#sandbox);
      const adapter = definition.isInProcess ? this.#replaceInProcess(created) : created;
      made.set(settings.name, { settings, adapter });
    }
    return made;
  }
}

/** Loads the adapters of a configuration, before they are created. */
export async function loadAdapters({ providers }: Pick<Settings, "providers">): Promise<void> {
  await Promise.all(providers.map((settings) => definitionOf(settings)?.load?.()));
}

/** Loads and creates the adapters of a configuration that does not change. */
export async function createAdapters(config: Settings): Promise<readonly Adapter[]> {
  await loadAdapters(config);
  return new Adapters(config).all;
}

/** Returns a configuration with only those providers that have their models in the memory of a process. */
export function onlyInProcess<C extends Settings>(config: C): C {
  return { ...config, providers: config.providers.filter((settings) => definitionOf(settings)?.isInProcess) };
}

function definitionOf({ dialect }: ProviderSettings) {
  return dialects.find(({ name }) => name === dialect);
}

function listOf(made: ReadonlyMap<string, Made>): readonly Adapter[] {
  return [...made.values()].map(({ adapter }) => adapter);
}

function templateLimits({ limits }: Settings) {
  return { maxProcesses: limits.maxTemplateProcesses, maxPerAccount: limits.maxTemplateProcessesPerAccount };
}

/** Replaces keys by equal ones of the former settings: routing knows keys by identity, and keeps what it knows of them. */
function withFormerKeys(settings: ProviderSettings, former: readonly ProviderKey[]): ProviderSettings {
  const keys = settings.keys.map((key) => former.find((known) => sameValue(known, key)) ?? key);
  return Object.freeze({ ...settings, keys: Object.freeze(keys) });
}
