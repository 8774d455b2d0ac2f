import type { ZodType } from "zod";
import type { ConfigProblem } from "./config-error.ts";
import type { HiddenText } from "./described.ts";
import type { Environment } from "./environment.ts";
import type { Secret } from "./secret.ts";

/** Timeouts of an upstream request in ms. The timers are independent; 0 disables a timeout. */
export interface UpstreamTimeouts {
  /** Maximum time for connecting, including the TLS handshake. Default 10,000. */
  readonly connectMs: number;
  /**
   * Maximum time from sending the request to the first output. Comments and empty events do not end it. Default
   * 300,000.
   */
  readonly firstEventMs: number;
  /** Maximum time between two outputs of the response. Comments and empty events do not reset it. Default 120,000. */
  readonly idleMs: number;
}

/** HTTP proxy for connections to a provider. */
export interface HttpProxy {
  /** URL with the user and password, if there are any. */
  readonly url: Secret;
  /** URL without them, such as `http://proxy.example:3128`. */
  readonly place: string;
}

/** Selects the proxy of a provider's connections. */
export interface ProxyChoice {
  /** `providers.<name>.proxy`, without credentials. Undefined: the environment decides. */
  readonly configured: string | HiddenText | undefined;
  /** Returns the proxy for an address. Undefined: a direct connection. */
  proxyOf(url: URL): HttpProxy | undefined;
}

/** One of the API keys of a provider. Calls are spread over them. */
export interface ProviderKey {
  /** Name in records and metrics. Empty: the provider's only key, which has no name. */
  readonly name: string;
  readonly secret: Secret;
  /** Share of the calls among the keys of the provider. Default 1. */
  readonly weight: number;
}

/** The resolved configuration of one provider. */
export interface ProviderSettings<Options = unknown> {
  /** The `provider` in `provider/model`. */
  readonly name: string;
  /** Name of the definition that makes the adapter. Equals `name`, unless the file adds the provider by its dialect. */
  readonly dialect: string;
  /** Base URL without a trailing slash. Empty if the provider has no base URL. */
  readonly baseUrl: string;
  /** API keys, in the order of the configuration. Empty: requests carry no API key. */
  readonly keys: readonly ProviderKey[];
  /** The first of the keys, for what is decided before an attempt has one. Undefined: there is no key. */
  readonly apiKey: Secret | undefined;
  /** Headers to send with each upstream request. Values may be secret and are never logged. */
  readonly headers: Readonly<Record<string, string>>;
  readonly timeouts: UpstreamTimeouts;
  /** Proxy of the connections to the provider, and of its token requests. Undefined: none. */
  readonly proxy?: ProxyChoice;
  /**
   * Maximum requests in progress at the provider. With HTTP/1.1, each has its own connection. With HTTP/2, they share
   * connections. Default 256.
   */
  readonly maxConnections: number;
  /** Whether to use HTTP/2 if the provider supports it, else HTTP/1.1. Only for `https://`. Default false. */
  readonly http2?: boolean;
  /** Whether requests carry the trace context of their attempt (`traceparent`, `tracestate`). Default false. */
  readonly sendsTrace?: boolean;
  /** Whether lists of models have those that the server lists. Undefined: this provider's models cannot be listed. */
  readonly listsModels?: boolean;
  /** Maximum requests that wait for a connection. Default 1024. */
  readonly maxQueue: number;
  /** Provider-specific settings, parsed with `optionsSchema`. */
  readonly options: Options;
  /** Names of the options whose value is one of a few words, and so no secret. Default: none. */
  readonly choices?: readonly string[];
  /** Environment variables of `ProviderVariables.others` that are set. */
  readonly variables: Environment;
}

/** Names of the environment variables that a provider reads. */
interface ProviderVariables {
  /** Variable with the API key, such as `OPENAI_API_KEY`. Undefined: the provider has no API key. */
  readonly apiKey?: string;
  /** Variable that overrides the base URL, such as `OPENAI_BASE_URL`. Undefined: the provider has no base URL. */
  readonly baseUrl?: string;
  /** Other variables that the adapter needs. */
  readonly others?: readonly string[];
}

/** The part of a provider's definition that the configuration needs. `ProviderDefinition` adds the adapter. */
export interface ConfigurableProvider<Options = unknown> {
  /** The `provider` in `provider/model`. Lower case. */
  readonly name: string;
  /**
   * Name of the definition of a provider that the file adds. Such a provider reads no environment variables, and is on
   * unless `enabled` is false. Undefined: the definition is the provider's own.
   */
  readonly dialect?: string;
  /** `Model.family` of its models: the API whose limits and defaults apply to them. Default: the name. */
  readonly family?: string;
  readonly variables: ProviderVariables;
  /** Base URL of the provider. Empty: the provider has none, or operators run their own servers. */
  readonly defaultBaseUrl: string;
  /** Path of a base URL that has none: users often write only the host and port of their server. Default: none. */
  readonly usualPath?: string;
  /**
   * What enables the provider, unless `enabled` is set. `key`: an API key. `url`: a base URL, for servers that the
   * operator runs. `always`: nothing is needed. `detect`: `detect` returns undefined.
   */
  readonly onBy: "key" | "url" | "always" | "detect";
  /** For `onBy: "detect"`: returns undefined if the provider is ready, else what the operator must do. */
  detect?(environment: Environment): string | undefined;
  /** Schema of `providers.<name>.options`. Undefined: the provider has no options. */
  readonly optionsSchema?: ZodType<Options>;
  /** Default of `list_models`: on for servers that operators run. Undefined: the models cannot be listed. */
  readonly modelList?: "on" | "off";
  /** Whether its models are in the memory of a process. Workers share one process for them. Default false. */
  readonly isInProcess?: boolean;
  /**
   * Returns mistakes in the combination of settings, with paths relative to `providers.<name>`. Called only for
   * configured providers.
   */
  check?(settings: ProviderSettings<Options>): readonly ConfigProblem[];
}
