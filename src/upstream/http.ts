import { Pool } from "undici";
import type { ProviderSettings } from "../config/provider.ts";
import type { Secret } from "../config/secret.ts";
import { type AttemptHeaders, UpstreamResponse } from "./response.ts";
import { abortReason, type UpstreamCall } from "./upstream-call.ts";

// undici closes idle connections after 4 seconds unless told otherwise; a new one costs a TLS handshake.
const keepAliveTimeout = 60_000;

/** The connections to one provider's address. */
export class Upstream {
  readonly #pool: Pool;
  readonly #pathPrefix: string;
  readonly #settings: ProviderSettings;
  readonly #attemptHeaders: AttemptHeaders;

  constructor(settings: ProviderSettings, attemptHeaders: AttemptHeaders) {
    const { origin, pathname } = new URL(settings.baseUrl);
    this.#settings = settings;
    this.#attemptHeaders = attemptHeaders;
    this.#pathPrefix = pathname.replace(/\/+$/, "");
    this.#pool = new Pool(origin, {
      connections: settings.maxConnections,
      // One call per connection, so that aborting it aborts nothing else.
      pipelining: 1,
      allowH2: false,
      keepAliveTimeout,
      // The limits on silence are WaitTimer's: undici's would also run while our consumer is slow.
      headersTimeout: 0,
      bodyTimeout: 0,
      // undici looks at this timeout about twice a second.
      connect: { timeout: settings.timeouts.connectMs, noDelay: true },
    });
  }

  /**
   * Posts JSON text and returns once the status and headers are here, whatever the status. Redirects are not followed.
   * Throws the signal's reason as soon as it fires, PROVIDER_TIMEOUT or PROVIDER_UNAVAILABLE.
   */
  async post(
    path: string,
    json: string,
    headers: Readonly<Record<string, string>>,
    call: UpstreamCall,
  ): Promise<UpstreamResponse> {
    if (call.signal.aborted) throw abortReason(call.signal);
    const given = { ...this.#settings.headers, ...headers };
    call.secrets = () => secretsIn(given, this.#settings.apiKey);
    const response = new UpstreamResponse(call, this.#settings.timeouts, this.#attemptHeaders);
    this.#pool.dispatch(
      {
        method: "POST",
        path: this.#pathPrefix + path,
        body: json,
        headers: {
          "content-type": "application/json",
          // A compressing proxy would hold deltas back.
          "accept-encoding": "identity",
          ...given,
        },
      },
      response,
    );
    await response.arrival();
    return response;
  }

  /** Cuts what is running and frees the connections. */
  async close(): Promise<void> {
    await this.#pool.destroy();
  }
}

/** Shorter values are words, such as a scheme. */
const shortestSecret = 8;

/** The key, and what headers that are named for such things have, scheme and value each by itself. */
function secretsIn(headers: Readonly<Record<string, string>>, apiKey: Secret | undefined): readonly string[] {
  const values = Object.entries(headers).flatMap(([name, value]) =>
    /auth|key|token|secret|cookie/i.test(name) ? value.split(/\s+/) : [],
  );
  return [...values, ...(apiKey ? [apiKey.reveal()] : [])].filter(({ length }) => length >= shortestSecret);
}
