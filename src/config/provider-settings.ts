import type { ProviderStatus } from "../models/provider-status.ts";
import type { ReportProblem } from "./config-error.ts";
import type { Tree } from "./config-file.ts";
import type { Environment } from "./environment.ts";
import type { ConfigurableProvider, ProviderKey, ProviderSettings } from "./provider.ts";
import { apiKey, resolveKeys } from "./provider-keys.ts";
import { parseOptions } from "./provider-options.ts";
import { resolveProxy } from "./proxy.ts";
import { baseUrl } from "./rules.ts";
import { type ProviderSection, providerSchema } from "./schema.ts";
import { Secret } from "./secret.ts";
import { validateVariable } from "./validate.ts";

interface ResolvedProvider {
  readonly status: ProviderStatus;
  readonly settings: ProviderSettings;
}

interface Sources {
  readonly environment: Environment;
  /** The file before interpolation. Problems quote it, since variables may contain secrets. */
  readonly written: Tree;
  /** `limits.max_queue_per_provider`. */
  readonly maxQueue: number;
  /** Whether a mistake is known at or below a path. The value there is then a default and not the file's. */
  readonly isWrong: (path: string) => boolean;
}

/** A value that the file or a variable sets. */
interface Found {
  readonly value: string;
  /** Source of the value, for the operator: `OPENAI_API_KEY is set`. */
  readonly reason: string;
  /** Variable that has the value. Undefined: the file has it. */
  readonly variable?: string;
}

/** Resolves the settings of a provider from its section, its variables and its definition. */
export function resolveProvider(
  known: ConfigurableProvider,
  section: ProviderSection | undefined,
  { environment, written, maxQueue, isWrong }: Sources,
  report: ReportProblem,
): ResolvedProvider {
  const { name, dialect, variables, defaultBaseUrl } = known;
  const entry = section ?? providerSchema.parse({});
  const path = `providers.${name}`;
  if (entry.base_url !== undefined && variables.baseUrl === undefined) {
    report(`${path}.base_url`, "is not used: this provider has no base URL", "remove it");
  }
  for (const key of ["api_key", "keys"] as const) {
    if (entry[key] === undefined || variables.apiKey !== undefined) continue;
    report(`${path}.${key}`, "is not used: this provider has no API key", "remove it");
  }
  if (entry.api_key !== undefined && entry.keys !== undefined) {
    report(`${path}.keys`, "is set together with api_key", "move the value of api_key to an entry of keys");
  }
  const variable = (schema: typeof apiKey, variableName: string | undefined): Found | undefined => {
    if (variableName === undefined || entry.enabled === false || dialect !== undefined) return undefined;
    const text = environment[variableName];
    if (!text) return undefined;
    const value = validateVariable(schema, variableName, text, report);
    return value === undefined ? undefined : { value, reason: `${variableName} is set`, variable: variableName };
  };
  const configured = (value: string | undefined, key: string): Found | undefined =>
    value === undefined ? undefined : { value, reason: `${path}.${key} is set` };
  // The file takes precedence for keys: the variable may be set in a user's shell for other programs.
  const keys = entry.keys && resolveKeys(entry.keys, `${path}.keys`, report);
  const key =
    configured(keys?.[0]?.secret.reveal(), "keys") ??
    configured(entry.api_key, "api_key") ??
    variable(apiKey, variables.apiKey);
  const url = variable(baseUrl, variables.baseUrl) ?? configured(entry.base_url, "base_url");

  const orVariable = (variableName: string | undefined) =>
    `set it${dialect === undefined ? ` or the environment variable ${variableName}` : ""}`;

  if (entry.enabled ?? dialect !== undefined) {
    const servesWithoutKey = known.onBy !== "key" || url !== undefined || Object.keys(entry.headers).length > 0;
    if (key === undefined && !servesWithoutKey && !isWrong(`${path}.keys`)) {
      report(`${path}.api_key`, "is missing", orVariable(variables.apiKey));
    }
    if (url === undefined && variables.baseUrl !== undefined && defaultBaseUrl === "") {
      report(`${path}.base_url`, "is missing", orVariable(variables.baseUrl));
    }
  }
  const { timeouts } = entry;
  const { on, reason } = decide(known, entry.enabled, key, url, environment);
  const usedUrl = withPath(url?.value, known.usualPath) ?? defaultBaseUrl;
  const http2 = entry.http2 === "on";
  if (http2 && variables.baseUrl === undefined) {
    report(`${path}.http2`, "is not used: this provider has no base URL", "remove it");
  } else if (http2 && on && !usedUrl.startsWith("https://")) {
    const fix = "remove it, or write a base_url with https://";
    report(`${path}.http2`, "needs TLS, and the base URL has http://: Dragoman has no HTTP/2 without TLS", fix);
  }
  if (entry.trace_context === "on" && variables.baseUrl === undefined) {
    report(`${path}.trace_context`, "is not used: this provider has no base URL", "remove it");
  }
  if (entry.list_models !== undefined && known.modelList === undefined) {
    report(`${path}.list_models`, "is not used: Dragoman cannot list the models of this provider", "remove it");
  }
  const others = (variables.others ?? []).filter((variableName) => dialect === undefined && environment[variableName]);
  const allKeys = keys ?? (key === undefined ? [] : [unnamedKey(key)]);
  const settings = {
    name,
    dialect: dialect ?? name,
    baseUrl: usedUrl,
    keys: allKeys,
    apiKey: allKeys[0]?.secret,
    headers: entry.headers,
    timeouts: { connectMs: timeouts.connect, firstEventMs: timeouts.first_event, idleMs: timeouts.idle },
    proxy: resolveProxy({ environment, configured: entry.proxy, on }, report),
    maxConnections: entry.max_connections,
    http2,
    sendsTrace: entry.trace_context === "on",
    ...(known.modelList !== undefined && { listsModels: (entry.list_models ?? known.modelList) === "on" }),
    maxQueue,
    options: entry.options,
    variables: Object.fromEntries(others.map((variableName) => [variableName, environment[variableName]])),
  };
  return {
    status: { name, ...(dialect !== undefined && { dialect }), on, reason, family: known.family ?? name },
    settings: on || section !== undefined ? checkSettings(known, settings, { on, written }, report) : settings,
  };
}

/** Adds the usual path to a URL without one. */
function withPath(url: string | undefined, path = ""): string | undefined {
  return url && URL.parse(url)?.pathname === "/" ? `${url}${path}` : url;
}

/** Makes the only key of a provider. */
function unnamedKey({ value, variable }: Found): ProviderKey {
  return { name: "", secret: new Secret(value, variable), weight: 1 };
}

/**
 * Parses the options and checks them together with the other settings. For a provider that is not configured, it only
 * parses the options.
 */
function checkSettings(
  known: ConfigurableProvider,
  unparsed: ProviderSettings<Tree>,
  { on, written }: { readonly on: boolean; readonly written: Tree },
  report: ReportProblem,
): ProviderSettings {
  const parsed = parseOptions(known, unparsed.options, written, report);
  if (parsed === undefined) return unparsed;
  const settings = { ...unparsed, ...parsed };
  for (const { path, problem, fix } of (on && known.check?.(settings)) || []) {
    report(`providers.${known.name}.${path}`, problem, fix);
  }
  return settings;
}

function decide(
  { name, dialect, variables, ...known }: ConfigurableProvider,
  enabled: boolean | undefined,
  key: Found | undefined,
  url: Found | undefined,
  environment: Environment,
): Pick<ProviderStatus, "on" | "reason"> {
  if (enabled !== undefined) return { on: enabled, reason: `providers.${name}.enabled is ${enabled}` };
  if (dialect !== undefined) return { on: true, reason: `providers.${name}.dialect is ${dialect}` };
  switch (known.onBy) {
    case "key":
      return { on: key !== undefined, reason: key?.reason ?? `set ${variables.apiKey} to turn it on` };
    case "url":
      return { on: url !== undefined, reason: url?.reason ?? `set ${variables.baseUrl} to turn it on` };
    case "always":
      return { on: true, reason: "needs no configuration" };
    case "detect": {
      const missing = known.detect?.(environment);
      return { on: missing === undefined, reason: missing ?? "ready" };
    }
    default:
      return known.onBy satisfies never;
  }
}
