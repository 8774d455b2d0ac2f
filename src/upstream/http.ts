import type * as undici from "undici";
import type { ProviderSettings } from "../config/provider.ts";
import { FairSlots } from "../fair-slots.ts";
import { traceHeaders } from "../trace-context.ts";
import type { AttemptHeaders } from "./attempt-headers.ts";
import { createConnector, type Lookup, SpareConnector } from "./connector.ts";
import { Http2Pool } from "./http2-pool.ts";
import type { TextRequest } from "./http2-stream.ts";
import { timeInQueue } from "./queue-time.ts";
import { UpstreamResponse } from "./response.ts";
import { Client, Pool } from "./undici.ts";
import { abortReason, type UpstreamCall } from "./upstream-call.ts";

/** Time in ms that an unused connection stays open. undici's default is 4,000, but a new one needs a TLS handshake. */
const longestIdleMs = 60_000;

/** Time in ms after which a connection serves no new request, so that Dragoman follows changes in the DNS. */
const longestAgeMs = 5 * 60_000;

/** Interval in ms of pings over HTTP/2. */
const pingIntervalMs = 15_000;

/** Prevents compression: a proxy that compresses would delay deltas. */
const commonHeaders = { "accept-encoding": "identity" } as const;

/** Settings that only tests change. */
export interface Tuning {
  /** Finds the addresses of a name. Default: the system. */
  readonly lookup?: Lookup;
  /** Time in ms after which a connection serves no new request. Default: 5 minutes. */
  readonly maxAgeMs?: number;
  /** Time in ms that an unused connection stays open. Default: 1 minute. */
  readonly maxIdleMs?: number;
  /** Interval in ms of pings over HTTP/2. Default: 15 seconds. */
  readonly pingMs?: number;
}

/** Retry delay in the error QUEUE_FULL, in ms: shorter than most responses, each of which frees a place. */
const retryAfterMs = 1000;

/**
 * Connection pool for the base URL of one provider. A request takes a slot before undici gets it: undici's own queue is
 * unbounded, and serves requests in order of arrival, whoever sent them.
 */
export class Upstream {
  readonly #pool: undici.Pool;
  readonly #url: URL;
  readonly #options: undici.Client.Options;
  /** Connections with HTTP/2. Undefined: it is off. */
  readonly #http2: Http2Pool | undefined;
  /** Clients of requests that Dragoman sent again on a new connection. */
  readonly #repeats = new Set<undici.Client>();
  /** One slot per request in progress: with HTTP/1.1, each has a connection. */
  readonly #slots: FairSlots;
  /** What a queued request waits for. */
  readonly #thing: string;
  readonly #pathPrefix: string;
  readonly #settings: ProviderSettings;
  /** Headers of each POST request, before those of the provider. */
  readonly #postHeaders: Readonly<Record<string, string>>;
  /** API keys and headers of the configuration that may be credentials. Undefined until the first request. */
  #ownSecrets: readonly string[] | undefined;
  readonly #attemptHeaders: AttemptHeaders;

  constructor(settings: ProviderSettings, attemptHeaders: AttemptHeaders, tuning: Tuning = {}) {
    const url = new URL(settings.baseUrl);
    const { origin, pathname } = url;
    const { name, maxConnections, maxQueue, timeouts, proxy } = settings;
    const { lookup, maxAgeMs = longestAgeMs, maxIdleMs = longestIdleMs, pingMs = pingIntervalMs } = tuning;
    const connecting = { connectMs: timeouts.connectMs, proxy, lookup };
    const connector = new SpareConnector(createConnector(url, connecting));
    this.#thing = `a connection to ${name}`;
    this.#slots = new FairSlots(maxConnections, maxQueue, {
      thing: this.#thing,
      retryAfterMs,
      metadata: { provider: name },
    });
    this.#settings = settings;
    this.#postHeaders = { "content-type": "application/json", ...commonHeaders };
    this.#attemptHeaders = attemptHeaders;
    this.#pathPrefix = pathname.replace(/\/+$/, "");
    this.#url = url;
    this.#options = {
      // One request per connection, so that aborting it does not abort others.
      pipelining: 1,
      allowH2: false,
      keepAliveTimeout: maxIdleMs,
      // WaitTimer enforces the timeouts: undici's timers would also run while the consumer is slow.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: connector.connect,
    };
    this.#pool = new Pool(origin, { ...this.#options, connections: maxConnections, clientTtl: maxAgeMs });
    if (settings.http2) {
      this.#http2 = new Http2Pool({
        ...{ url, maxConnections, maxAgeMs, maxIdleMs, pingMs },
        connect: createConnector(url, { ...connecting, http2: true }),
        http1: this.#pool,
        onHttp1: (socket) => connector.offer(socket),
      });
    }
  }

  /**
   * Sends a POST request with a JSON body, or a GET request without one, and returns when the response headers have
   * arrived, with any status. Does not follow redirects. Throws QUEUE_FULL, PROVIDER_TIMEOUT, PROVIDER_UNAVAILABLE or, as soon as the signal is aborted,
   * its reason. The timeouts begin when the request has a connection.
   */
  async send(
    path: string,
    json: string | undefined,
    headers: Readonly<Record<string, string>>,
    call: UpstreamCall,
  ): Promise<UpstreamResponse> {
    if (call.signal.aborted) throw abortReason(call.signal);
    const wait = this.#slots.take(call);
    if (wait !== undefined) await this.#wait(wait, call);
    const secrets = (): readonly string[] => {
      this.#ownSecrets ??= secretsOf(this.#settings);
      return withSecretsOf(call, headers, this.#ownSecrets);
    };
    call.secrets = secrets;
    const { timeouts, sendsTrace } = this.#settings;
    const allHeaders = { ...(json === undefined ? commonHeaders : this.#postHeaders) };
    if (sendsTrace && call.trace) Object.assign(allHeaders, traceHeaders(call.trace));
    const request: TextRequest = {
      method: json === undefined ? "GET" : "POST",
      path: this.#pathPrefix + path,
      body: json ?? null,
      headers: Object.assign(allHeaders, this.#settings.headers, headers),
    };
    const response: UpstreamResponse = new UpstreamResponse(call, timeouts, this.#attemptHeaders, {
      url: this.#url,
      onOver: this.#releaseSlot,
      repeat: () => this.#repeat(request, response),
    });
    (this.#http2 ?? this.#pool).dispatch(request, response);
    await response.arrival();
    return response;
  }

  async #wait(wait: Promise<void>, call: UpstreamCall): Promise<void> {
    await timeInQueue(wait, this.#thing, call);
    if (!call.signal.aborted) return;
    this.#slots.release(call);
    throw abortReason(call.signal);
  }

  /**
   * Sends a request again on a connection of its own, because the other connections of the pool may be stale too. It
   * keeps its slot. Returns false after `close`.
   */
  #repeat(request: undici.Dispatcher.DispatchOptions, response: UpstreamResponse): boolean {
    if (this.#pool.destroyed) return false;
    const client = new Client(this.#url.origin, this.#options);
    this.#repeats.add(client);
    client.dispatch(request, response);
    void client.close().then(() => this.#repeats.delete(client));
    return true;
  }

  readonly #releaseSlot = (call: UpstreamCall): void => this.#slots.release(call);

  /** Aborts the requests in progress and closes all connections. */
  async close(): Promise<void> {
    await Promise.all([this.#http2 ?? this.#pool, ...this.#repeats].map((dispatcher) => dispatcher.destroy()));
  }
}

/** Minimum length of a secret in characters. Shorter words in headers are not secret, such as the scheme `Bearer`. */
const shortestSecret = 8;

/** Returns all API keys of the provider and the words of its headers that may be credentials. */
function secretsOf({ apiKey, keys, headers }: Pick<ProviderSettings, "apiKey" | "keys" | "headers">): string[] {
  const secrets: string[] = [];
  for (const { secret } of keys) addSecret(secrets, secret.reveal());
  if (apiKey) addSecret(secrets, apiKey.reveal());
  addHeaders(secrets, headers);
  return secrets;
}

/** Adds the secrets of one request. Most requests have none of their own. */
function withSecretsOf(
  { apiKey }: UpstreamCall,
  headers: Readonly<Record<string, string>>,
  ownSecrets: readonly string[],
): readonly string[] {
  const secrets = [...ownSecrets];
  if (apiKey) addSecret(secrets, apiKey.reveal());
  addHeaders(secrets, headers);
  return secrets;
}

/** Adds the words of header values that may be credentials, judged by the name of the header. */
function addHeaders(secrets: string[], headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) {
    if (!/auth|key|token|secret|cookie/i.test(name)) continue;
    for (const word of value.split(/\s+/)) addSecret(secrets, word);
  }
}

function addSecret(secrets: string[], secret: string): void {
  if (secret.length >= shortestSecret && !secrets.includes(secret)) secrets.push(secret);
}
