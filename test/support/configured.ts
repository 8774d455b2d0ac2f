import { ConfigError, type ConfigProblem } from "../../src/config/config-error.ts";
import type { Environment } from "../../src/config/environment.ts";
import type { UpstreamTimeouts } from "../../src/config/provider.ts";
import { resolveProvider } from "../../src/config/provider-settings.ts";
import { providerSchema } from "../../src/config/schema.ts";
import type { Adapter } from "../../src/providers/adapter.ts";
import { dialects } from "../../src/providers/registry.ts";
import { TemplateSandbox } from "../../src/templates/sandbox.ts";

interface Section {
  readonly options?: Readonly<Record<string, unknown>>;
  /** API key. Default `sk-test-key`. Empty: none. */
  readonly apiKey?: string;
  readonly timeouts?: Partial<UpstreamTimeouts>;
  readonly environment?: Environment;
  /** `providers.<name>.proxy`. */
  readonly proxy?: string;
  /** Name of an added provider with this dialect. Default: the dialect's own provider. */
  readonly as?: string;
}

await Promise.all(dialects.map((dialect) => dialect.load?.()));

/** Creates a provider's adapter from its section of the configuration. Throws ConfigError, as `loadConfig` does. */
export function configured(
  name: string,
  baseUrl?: string,
  { options = {}, apiKey = "sk-test-key", timeouts = {}, environment = {}, proxy, as }: Section = {},
): Adapter {
  const provider = dialects.find((candidate) => candidate.name === name);
  if (provider === undefined) throw new Error(`unknown provider ${name}`);
  const key = apiKey === "" ? {} : { api_key: apiKey };
  const file = { enabled: true, base_url: baseUrl, ...key, max_connections: 4, options, ...(proxy && { proxy }) };
  const problems: ConfigProblem[] = [];
  const added = { ...provider, name: as ?? name, dialect: name };
  const { settings } = resolveProvider(
    as === undefined ? provider : added,
    providerSchema.parse(file),
    { environment, written: { providers: { [as ?? name]: file } }, maxQueue: 16, isWrong: () => false },
    (path, problem, fix) => problems.push({ path, problem, fix }),
  );
  if (problems.length > 0) throw new ConfigError(problems);
  const usual = { connectMs: 5_000, firstEventMs: 20_000, idleMs: 20_000 };
  const sandbox = new TemplateSandbox({ maxProcesses: 2, maxPerAccount: 2 });
  return provider.create({ ...settings, timeouts: { ...usual, ...timeouts } }, sandbox);
}
