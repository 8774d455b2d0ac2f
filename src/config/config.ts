import type { Model } from "../gen/dragoman/v1/model_pb.js";
import type { ConfiguredModel } from "../models/configured-model.ts";
import type { ProviderStatus } from "../models/provider-status.ts";
import type { ProfileName } from "../profiles/profiles.ts";
import type { ProviderSettings } from "./provider.ts";

/** Certificates of one listener. With `clientAuthority`, clients must show a certificate that it signed (mutual TLS). */
export interface TlsFiles {
  readonly certificate: Buffer;
  readonly key: Buffer;
  readonly clientAuthority: Buffer | undefined;
}

/** Where a listener listens. */
export interface ListenerConfig {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** Undefined means cleartext. */
  readonly tls: TlsFiles | undefined;
}

/** A key that callers may use. Only its hash is known here. */
export interface ApiKey {
  /** Names the key in records; not secret. */
  readonly id: string;
  /** SHA-256 of the key. */
  readonly sha256: Buffer;
  /** Accounts that the key may record under. Empty: any. */
  readonly accounts: readonly string[];
  /** The account of calls that name none. Default: the only one in `accounts`, else none. */
  readonly defaultAccount: string | undefined;
}

/** The whole configuration, resolved and frozen. */
export interface Config {
  readonly grpc: ListenerConfig;
  readonly http: ListenerConfig & {
    /** Longest wait for the first output of a stream of an HTTP API before its headers are sent. Default 15,000. */
    readonly streamHeadersAfterMs: number;
  };
  readonly authentication: {
    /** `keys`: a listed key is required. `loopback`: none is, and only loopback is served. `off`: none is, anywhere. */
    readonly mode: "keys" | "loopback" | "off";
    readonly keys: readonly ApiKey[];
    /** Rejects calls that name no account, even where the key has a default. Default false. */
    readonly requireAccount: boolean;
  };
  readonly limits: {
    /** Largest request message, in bytes. Default 16 MiB. */
    readonly maxRequestBytes: number;
    /** Longest call, in milliseconds, and the deadline of calls that bring none. Default 600,000. */
    readonly maxCallMs: number;
    /** Streams at once on one gRPC connection. Default 4096. */
    readonly maxConcurrentStreams: number;
    /** Calls that an account may have under way at one model; 0: any number. Undefined: as each profile says. */
    readonly maxCallsPerModel: number | undefined;
  };
  readonly shutdown: {
    /** From NOT_SERVING to rejecting connections, so that load balancers see it, in milliseconds. Default 0. */
    readonly delayMs: number;
    /** How long running calls may go on, in milliseconds. Default 30,000. */
    readonly graceMs: number;
  };
  readonly grpcConnection: {
    /** Connections are asked to reconnect at about this age, in milliseconds; 0 never. Default 0. */
    readonly maxAgeMs: number;
    /** Ping idle connections this often, in milliseconds; 0 never. Default 60,000. */
    readonly keepaliveMs: number;
  };
  readonly log: { readonly level: "debug" | "info" | "warn" | "error" | "silent" };
  /** The providers that are on. */
  readonly providers: readonly ProviderSettings[];
  /** Every known provider, on or off, with the reason. */
  readonly providerStatuses: readonly ProviderStatus[];
  /** The profile of every listed model that is named by a bare id, instead of its own. Undefined: each its own. */
  readonly profile: ProfileName | undefined;
  /** The models that the service lists by itself, under `profile`. */
  readonly listedModels: readonly Model[];
  /** What the file says of models, then its deployments. */
  readonly models: readonly ConfiguredModel[];
}
