import type { Model } from "../gen/dragoman/v1/model_pb.js";
import type { ConfiguredModel } from "../models/configured-model.ts";
import type { ProviderStatus } from "../models/provider-status.ts";
import type { PriceOverride } from "../prices/model-prices.ts";
import type { ProfileName } from "../profiles/profiles.ts";
import type { AccountSettings, KeySettings } from "./account.ts";
import type { ProviderSettings } from "./provider.ts";
import type { BreakerSettings, RouteSettings } from "./route.ts";
import type { Secret } from "./secret.ts";
import type { RedisSettings } from "./state.ts";
import type { TelemetrySettings } from "./telemetry.ts";

/** TLS files of one listener, in PEM format. */
export interface TlsFiles {
  readonly certificate: Buffer;
  readonly key: Buffer;
  /** CA certificates. If set, clients must present a certificate that one of them signed (mutual TLS). */
  readonly clientAuthority: Buffer | undefined;
}

/** Address and TLS files of one listener. */
export interface ListenerConfig {
  readonly host: string;
  /** 0 selects a free port. */
  readonly port: number;
  /** Undefined: cleartext. */
  readonly tls: TlsFiles | undefined;
}

export type { Role } from "./account.ts";

/** An API key that callers may use. Dragoman knows only its hash. */
export interface ApiKey extends KeySettings {
  /** SHA-256 of the key. */
  readonly sha256: Buffer;
}

/** Database of the service. `name` tells it from others, without user, password and parameters. */
export type DatabaseSettings =
  | { readonly kind: "sqlite"; readonly name: string; readonly path: string }
  | { readonly kind: "postgres"; readonly name: string; readonly url: Secret };

/** Where and how Dragoman stores call records, and what else has to outlive the process. */
export interface StoreSettings {
  /** Whether the file has the section `store`: then Dragoman does not start if it cannot write the outbox. */
  readonly isWritten: boolean;
  readonly database: DatabaseSettings;
  /** Absolute path of the folder in which each process has the folder of its own outbox. */
  readonly outbox: string;
  /**
   * What the end of a response waits for. `process`: the record is written to a file, and survives the process. `disk`:
   * it is on the disk, and survives a power cut. `async`: nothing.
   */
  readonly durability: "process" | "disk" | "async";
  /** While records cannot be written, and no more of them fit: `drop` drops them, `refuse` rejects new calls. */
  readonly onFull: "drop" | "refuse";
  /** Maximum size in bytes of the outbox of one process. Default 1 GiB. */
  readonly maxOutboxBytes: number;
  /** Age in ms at which the database deletes call records (default 30 days) and hourly sums (400 days). 0: never. */
  readonly retention: { readonly callsMs: number; readonly hoursMs: number };
  /** Further destinations of call records. */
  readonly sinks: {
    /** Collector that receives records as OTLP logs. Undefined: none. */
    readonly otlp: { readonly endpoint: string; readonly headers: Readonly<Record<string, string>> } | undefined;
  };
}

/** The resolved configuration. Frozen. */
export interface Config {
  /** Number of processes that serve calls. 1: the program serves them itself. Default 1. */
  readonly workers: number;
  readonly grpc: ListenerConfig & {
    /** `on`: reflection needs no API key. `authenticated`: it needs one, as every method. `off`: no reflection. */
    readonly reflection: "on" | "authenticated" | "off";
  };
  readonly http: ListenerConfig & {
    /** Maximum wait in ms for a stream's first output before an HTTP API sends the response headers. Default 15,000. */
    readonly streamHeadersAfterMs: number;
    /** Host names that callers may use in mode `loopback`, beside `localhost` and loopback addresses. Lower case. */
    readonly allowedHosts: readonly string[];
    /** Origins whose web pages may call Dragoman (CORS), such as `https://app.example`. Default: none. */
    readonly corsOrigins: readonly string[];
  };
  readonly authentication: {
    /**
     * `keys`: callers must send a listed API key. `loopback`: no key is needed, and listeners must use loopback
     * addresses. `off`: no key is needed on any address.
     */
    readonly mode: "keys" | "loopback" | "off";
    readonly keys: readonly ApiKey[];
    /** Whether to reject calls that set no account, even if the key has a default account. Default false. */
    readonly requireAccount: boolean;
  };
  /** Accounts of the file, ordered by id. Default: none. */
  readonly accounts: readonly AccountSettings[];
  readonly limits: {
    /** Maximum size of a request message in bytes. Default 16 MiB. */
    readonly maxRequestBytes: number;
    /** Maximum number of values of a request, counted before it is decoded. Default 250,000. */
    readonly maxValues: number;
    /** Maximum size of a response in bytes (chat/stream/delta-size.ts). Default 64 MiB. */
    readonly maxAnswerBytes: number;
    /** Maximum duration of a call in ms; also the timeout of calls without a deadline. Default 600,000. */
    readonly maxCallMs: number;
    /** Maximum time in ms from the headers of a request to its last byte. Default 30,000. */
    readonly maxRequestMs: number;
    /** Maximum bytes of the requests of all calls in progress. Default 256 MiB. */
    readonly maxBytesInFlight: number;
    /** Maximum connections of each listener. Default 8192. */
    readonly maxConnections: number;
    /** Maximum connections of one address to each listener. Default 4096. */
    readonly maxConnectionsPerAddress: number;
    /** Maximum requests in progress at each listener. Default 16,384. */
    readonly maxStreams: number;
    /** Maximum requests in progress of one address at each listener. Default 8192. */
    readonly maxStreamsPerAddress: number;
    /** Maximum concurrent streams on one gRPC connection. Default 4096. */
    readonly maxConcurrentStreams: number;
    /** Maximum concurrent calls of one account to one model; 0: no limit. Undefined: the model's profile decides. */
    readonly maxCallsPerModel: number | undefined;
    /** Maximum requests that wait for a connection to one provider. Default 1024. */
    readonly maxQueuePerProvider: number;
    /** Maximum processes that render callers' chat templates. Default 3. */
    readonly maxTemplateProcesses: number;
    /** Maximum processes that render templates of one account (of one API key, without an account). Default 2. */
    readonly maxTemplateProcessesPerAccount: number;
    /** Maximum bytes of texts that wait for token counting (tokens/counting-limits.ts). Default 32 MiB. */
    readonly maxCountingQueueBytes: number;
    /** Maximum time in ms that one token count may take, without waiting. Default 2000. */
    readonly maxCountingWorkMs: number;
    /** Maximum time in ms that one token count may take, with waiting. Default 5000. */
    readonly maxCountingTimeMs: number;
    /** Lag of the event loop in ms beyond which Dragoman rejects new calls; 0: no bound. Default 1000. */
    readonly maxEventLoopLagMs: number;
    /** Share of V8's heap limit beyond which Dragoman rejects new calls; 0: no bound. Default 0.85. */
    readonly heapShare: number;
    /** `off`: requests with provider options are rejected. Default `on`. */
    readonly providerOptions: "on" | "off";
  };
  readonly shutdown: {
    /** Delay in ms between health status NOT_SERVING and rejecting connections, for load balancers. Default 0. */
    readonly delayMs: number;
    /** Maximum time in ms that calls in progress may still run after `delayMs`. Default 30,000. */
    readonly graceMs: number;
  };
  readonly grpcConnection: {
    /** Approximate age of a connection in ms at which Dragoman asks the client to reconnect. Default 0: never. */
    readonly maxAgeMs: number;
    /** Time in ms after which Dragoman closes a connection without streams; 0: never. Default 600,000. */
    readonly maxIdleMs: number;
    /** Interval in ms at which Dragoman pings each client; 0: no pings. Default 60,000. */
    readonly keepaliveMs: number;
  };
  readonly log: {
    readonly level: "debug" | "info" | "warn" | "error" | "silent";
    /** Maximum bytes of lines that wait for the reader of the log. */
    readonly maxBufferBytes: number;
  };
  /** Settings of the configured providers. */
  readonly providers: readonly ProviderSettings[];
  /** Status of every known provider, configured or not. */
  readonly providerStatuses: readonly ProviderStatus[];
  /** Profile (defaults and rules of one chat API) of calls to which no other profile applies. Undefined: `plain`. */
  readonly profile: ProfileName | undefined;
  /** Built-in models of the catalog. */
  readonly listedModels: readonly Model[];
  /** Resolved `models` entries of the file, then its `deployments`. */
  readonly models: readonly ConfiguredModel[];
  /** Routes: names that callers can request, and the targets that serve them. */
  readonly routes: readonly RouteSettings[];
  /** When Dragoman stops sending calls to a failing target. */
  readonly breaker: BreakerSettings;
  /** Prices of the file, which replace those of the price table. */
  readonly prices: readonly PriceOverride[];
  /** State that replicas share. Undefined: each process has its own limits and budgets. */
  readonly state: RedisSettings | undefined;
  readonly store: StoreSettings;
  readonly telemetry: TelemetrySettings;
}
