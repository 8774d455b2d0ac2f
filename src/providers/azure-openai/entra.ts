import { z } from "zod";
import { abortable } from "../../abortable.ts";
import type { ProxyChoice } from "../../config/provider.ts";
import type { Secret } from "../../config/secret.ts";
import { GatewayError } from "../../errors.ts";
import { createDispatcher } from "../../upstream/connector.ts";
import { ProxyError } from "../../upstream/tunnel.ts";
import { abortReason, type UpstreamCall } from "../../upstream/upstream-call.ts";

const scope = "https://cognitiveservices.azure.com/.default";

/** Time before a token's expiry at which Dragoman fetches a new one, so that no token expires in transit. */
const marginMs = 5 * 60_000;
const timeoutMs = 30_000;

const tokenSchema = z.object({ access_token: z.string().min(1), expires_in: z.coerce.number() });

/** Application registered in Microsoft Entra ID. */
interface EntraApplication {
  /** Base URL of the token endpoint, such as `https://login.microsoftonline.com`. */
  readonly authority: string;
  readonly tenantId: string;
  readonly clientId: string;
  readonly clientSecret: Secret;
  readonly proxy?: ProxyChoice | undefined;
}

interface Token {
  readonly text: string;
  /** Time from which Dragoman fetches a new token, in milliseconds since 1970. */
  readonly until: number;
}

/**
 * Fetches access tokens from Microsoft Entra ID and caches each until shortly before it expires. Concurrent calls share
 * one token request.
 * https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
 */
export class EntraTokens {
  readonly #application: EntraApplication;
  #token: Promise<Token> | undefined;

  constructor(application: EntraApplication) {
    this.#application = application;
  }

  /**
   * Returns a valid token. Throws the signal's reason if it aborts, PROVIDER_UNAVAILABLE if Entra ID fails or cannot be
   * reached, and PROVIDER_CREDENTIALS_REJECTED if Entra ID returns no token for the application.
   */
  async get({ signal }: UpstreamCall): Promise<string> {
    if (signal.aborted) throw abortReason(signal);
    const known = this.#token;
    if (known !== undefined && (await abortable(known, signal)).until <= Date.now() && this.#token === known) {
      this.#token = undefined;
    }
    this.#token ??= this.#fetch();
    return (await abortable(this.#token, signal)).text;
  }

  #fetch(): Promise<Token> {
    const token = fetchToken(this.#application);
    // Do not cache a failed request: the next call must request a token again.
    token.catch(() => {
      if (this.#token === token) this.#token = undefined;
    });
    return token;
  }
}

async function fetchToken({ authority, tenantId, clientId, clientSecret, proxy }: EntraApplication): Promise<Token> {
  const form = { grant_type: "client_credentials", client_id: clientId, client_secret: clientSecret.reveal(), scope };
  const { status, text } = await post(
    `${authority}/${encodeURIComponent(tenantId)}/oauth2/v2.0/token`,
    new URLSearchParams(form).toString(),
    proxy,
  );
  if (status >= 500 || status === 429) {
    throw new GatewayError("PROVIDER_UNAVAILABLE", `Entra ID returned no token (HTTP ${status}); retry`);
  }
  const parsed = status === 200 ? tokenSchema.safeParse(safeJson(text)) : undefined;
  if (!parsed?.success) {
    const message = `Entra ID returned no token (HTTP ${status}); the operator must check tenant_id, client_id, api_key`;
    throw new GatewayError("PROVIDER_CREDENTIALS_REJECTED", message);
  }
  const { access_token, expires_in } = parsed.data;
  return { text: access_token, until: Date.now() + expires_in * 1000 - marginMs };
}

async function post(
  url: string,
  body: string,
  proxy: ProxyChoice | undefined,
): Promise<{ readonly status: number; readonly text: string }> {
  const dispatcher = createDispatcher(new URL(url), { connectMs: timeoutMs, proxy });
  try {
    const { request } = await import("undici");
    const { statusCode, body: answer } = await request(url, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded", accept: "application/json" },
      body,
      signal: AbortSignal.timeout(timeoutMs),
      dispatcher,
    });
    return { status: statusCode, text: await answer.text() };
  } catch (cause) {
    const reason = cause instanceof ProxyError ? `: ${cause.message}` : "; retry";
    throw new GatewayError("PROVIDER_UNAVAILABLE", `could not connect to Entra ID for a token${reason}`, { cause });
  } finally {
    void dispatcher.close();
  }
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
