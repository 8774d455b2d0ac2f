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
export interface ProviderSettings {
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
  /** Settings that only this provider has, checked by the provider's own schema. */
  readonly options: Readonly<Record<string, unknown>>;
}
