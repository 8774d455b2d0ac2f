import type { ZodType } from "zod";
import type { ConfigProblem } from "./config-error.ts";
import type { Environment } from "./environment.ts";
import type { Secret } from "./secret.ts";

/** How long to wait for an upstream, in milliseconds. Each is a timer of its own; 0 turns one off. */
export interface UpstreamTimeouts {
  /** For the connection, TLS included. Default 10,000. */
  readonly connectMs: number;
  /** From sending the request to the first event of the answer. Keep-alive comments do not count. Default 300,000. */
  readonly firstEventMs: number;
  /** Between two events of the answer. Keep-alive comments do not count. Default 120,000. */
  readonly idleMs: number;
}

/** The resolved configuration of one provider. */
export interface ProviderSettings<Options = unknown> {
  /** The name in `provider/model`. */
  readonly name: string;
  /** Without a slash at the end. */
  readonly baseUrl: string;
  /** Undefined for servers that take none. */
  readonly apiKey: Secret | undefined;
  /** Sent with each request. Values may be secret and are never logged. */
  readonly headers: Readonly<Record<string, string>>;
  readonly timeouts: UpstreamTimeouts;
  /** At most this many connections to the upstream. Default 256. */
  readonly maxConnections: number;
  /** Settings that only this provider has, parsed by its `optionsSchema`. */
  readonly options: Options;
  /** The variables that are set, of those in `variables.others`. */
  readonly variables: Environment;
}

/** Names of the environment variables that a provider reads. */
interface ProviderVariables {
  /** Such as `OPENAI_API_KEY`. Undefined: the provider takes no key. */
  readonly apiKey?: string;
  /** Overrides the address, such as `OPENAI_BASE_URL`. Undefined: the provider has no address. */
  readonly baseUrl?: string;
  /** Further ones that its adapter needs. */
  readonly others?: readonly string[];
}

/** What configuration needs to know of a provider. `ProviderDefinition` adds how its adapter is made. */
export interface ConfigurableProvider<Options = unknown> {
  /** The `provider` of `provider/model`. Lower case. */
  readonly name: string;
  /** `Model.family` of its models: the API whose limits and defaults hold for them. Default: the name. */
  readonly family?: string;
  readonly variables: ProviderVariables;
  /** Where the provider usually is. Empty: it has no address, or every operator has their own. */
  readonly defaultBaseUrl: string;
  /**
   * What turns the provider on when the configuration does not mention it. `key`: its key variable is set. `url`: its
   * address variable is set (servers of one's own). `always`. `detect`: `detect` says so.
   */
  readonly onBy: "key" | "url" | "always" | "detect";
  /** For `detect`: undefined when it is ready, else what to do. */
  detect?(environment: Environment): string | undefined;
  /** Schema of `providers.<name>.options`. Undefined: the provider has no options. */
  readonly optionsSchema?: ZodType<Options>;
  /** Mistakes that only the settings together show. Paths begin after `providers.<name>.`. Called for one that is on. */
  check?(settings: ProviderSettings<Options>): readonly ConfigProblem[];
}
