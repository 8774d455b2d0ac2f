import type { ProviderState } from "./config.ts";
import type { Report } from "./config-error.ts";
import type { Environment } from "./interpolate.ts";
import type { ProviderSettings } from "./provider.ts";
import { apiKey, baseUrl, type ProviderSection, providerSchema } from "./schema.ts";
import { Secret } from "./secret.ts";
import { suggest } from "./suggest.ts";
import { validateVariable } from "./validate.ts";

/** What configuration needs to know of a provider: a part of its ProviderDefinition, which says what each means. */
export interface KnownProvider {
  readonly name: string;
  readonly keyVariable: string | undefined;
  readonly baseUrlVariable: string | undefined;
  readonly defaultBaseUrl: string;
  readonly onBy: "key" | "url" | "always" | "detect";
  readonly detect?: () => string | undefined;
}

export interface ResolvedProvider {
  readonly state: ProviderState;
  readonly settings: ProviderSettings;
}

/** A value and where it comes from, for a person: `OPENAI_API_KEY is set`. Undefined when there is none. */
interface Found {
  readonly value: string;
  readonly reason: string;
}

export function reportUnknownProviders(
  names: readonly string[],
  known: readonly KnownProvider[],
  report: Report,
): void {
  const knownNames = known.map(({ name }) => name);
  for (const name of names) {
    if (!knownNames.includes(name)) report(`providers.${name}`, "is not a known provider", suggest(name, knownNames));
  }
}

/** Puts together what the file, the provider's usual variables and its declaration say. */
export function resolveProvider(
  known: KnownProvider,
  section: ProviderSection | undefined,
  environment: Environment,
  report: Report,
): ResolvedProvider {
  const entry = section ?? providerSchema.parse({});
  const path = `providers.${known.name}`;
  if (entry.base_url !== undefined && known.baseUrlVariable === undefined) {
    report(`${path}.base_url`, "is not used: the provider has no address", "remove it");
  }
  if (entry.api_key !== undefined && known.keyVariable === undefined) {
    report(`${path}.api_key`, "is not used: the provider takes no key", "remove it");
  }
  const variable = (schema: typeof apiKey, name: string | undefined): Found | undefined => {
    if (name === undefined || entry.enabled === false) return undefined;
    const text = environment[name];
    if (!text) return undefined;
    const value = validateVariable(schema, name, text, report);
    return value === undefined ? undefined : { value, reason: `${name} is set` };
  };
  const configured = (value: string | undefined, key: string): Found | undefined =>
    value === undefined ? undefined : { value, reason: `${path}.${key} is set` };
  // A key in the file was put there for this service; the usual variable may belong to somebody's shell.
  const key = configured(entry.api_key, "api_key") ?? variable(apiKey, known.keyVariable);
  const url = variable(baseUrl, known.baseUrlVariable) ?? configured(entry.base_url, "base_url");

  if (entry.enabled === true) {
    const servesWithoutKey = known.onBy !== "key" || url !== undefined || Object.keys(entry.headers).length > 0;
    if (key === undefined && !servesWithoutKey) {
      report(`${path}.api_key`, "is missing", `set it, or the variable ${known.keyVariable}`);
    }
    if (url === undefined && known.baseUrlVariable !== undefined && known.defaultBaseUrl === "") {
      report(`${path}.base_url`, "is missing", `set it, or the variable ${known.baseUrlVariable}`);
    }
  }
  const { timeouts } = entry;
  return {
    state: { name: known.name, ...decide(known, entry.enabled, key, url) },
    settings: {
      name: known.name,
      baseUrl: url?.value ?? known.defaultBaseUrl,
      apiKey: key === undefined ? undefined : new Secret(key.value),
      headers: entry.headers,
      timeouts: { connectMs: timeouts.connect, firstEventMs: timeouts.first_event, idleMs: timeouts.idle },
      maxConnections: entry.max_connections,
      options: entry.options,
    },
  };
}

function decide(
  known: KnownProvider,
  enabled: boolean | undefined,
  key: Found | undefined,
  url: Found | undefined,
): Omit<ProviderState, "name"> {
  if (enabled !== undefined) return { on: enabled, reason: `providers.${known.name}.enabled is ${enabled}` };
  switch (known.onBy) {
    case "key":
      return { on: key !== undefined, reason: key?.reason ?? `set ${known.keyVariable} to turn it on` };
    case "url":
      return { on: url !== undefined, reason: url?.reason ?? `set ${known.baseUrlVariable} to turn it on` };
    case "always":
      return { on: true, reason: "needs nothing" };
    case "detect": {
      const missing = known.detect?.();
      return { on: missing === undefined, reason: missing ?? "ready" };
    }
    default:
      return known.onBy satisfies never;
  }
}
