import { readFile } from "node:fs/promises";
import type { GoogleAuth } from "google-auth-library";
import { z } from "zod";
import type { ProxyChoice } from "../../config/provider.ts";
import { callFailure } from "../../upstream/errors.ts";
import { abortReason, type UpstreamCall } from "../../upstream/upstream-call.ts";

/** Source of access tokens for Google Cloud. Throws GatewayError, or the signal's reason if the call is aborted. */
export interface TokenSource {
  token(call: UpstreamCall): Promise<string>;
  /** Returns the id of the project that owns the credentials. */
  project(call: UpstreamCall): Promise<string>;
  /** Discards the cached token, for example after HTTP 401. */
  forget(): void;
}

const scopes = "https://www.googleapis.com/auth/cloud-platform";

const serviceAccountKey = z.object({
  client_email: z.string(),
  private_key: z.string(),
  private_key_id: z.string().optional(),
  project_id: z.string().optional(),
});

/**
 * Creates a token source from a service account key file, else from the application default credentials: the file in
 * GOOGLE_APPLICATION_CREDENTIALS, gcloud's file, or the machine's service account. The library, which is
 * imported on first use, caches tokens until shortly before they expire.
 */
export function createGoogleTokens(
  keyFile: string | undefined,
  project: string | undefined,
  proxy?: ProxyChoice,
): TokenSource {
  let auth: Promise<GoogleAuth> | undefined;
  const forget = () => {
    auth = undefined;
  };
  const query = (call: UpstreamCall, read: (auth: GoogleAuth) => Promise<string | null | undefined>) => {
    auth ??= load(keyFile, project, proxy);
    // If the key file is invalid, the next call loads it again, because the operator may have corrected it.
    auth.catch(forget);
    return settle(auth.then(read), call);
  };
  return {
    token: (call) => query(call, (loaded) => loaded.getAccessToken()),
    project: (call) => query(call, (loaded) => loaded.getProjectId()),
    forget,
  };
}

async function load(
  keyFile: string | undefined,
  project: string | undefined,
  proxy: ProxyChoice | undefined,
): Promise<GoogleAuth> {
  const transporterOptions = proxy && transporterOf(proxy);
  const { GoogleAuth, JWT } = await import("google-auth-library");
  // If no project is configured, the library determines it.
  if (keyFile === undefined) {
    const clientOptions = { ...(transporterOptions && { transporterOptions }) };
    return new GoogleAuth({ scopes, clientOptions, ...(project && { projectId: project }) });
  }
  // Dragoman reads the key file, because the library's own option for it, `keyFilename`, prints a warning.
  const key = serviceAccountKey.parse(JSON.parse(await readFile(keyFile, "utf8")));
  const { client_email: email, private_key, private_key_id: keyId, project_id: projectId } = key;
  const authClient = new JWT({
    email,
    key: private_key,
    scopes,
    ...(keyId && { keyId }),
    ...(transporterOptions && { transporterOptions }),
  });
  return new GoogleAuth({ authClient, ...(projectId && { projectId }) });
}

/** Address of Google's token requests, for the choice of the proxy. */
const tokenUrl = new URL("https://oauth2.googleapis.com/token");

/** Without options, the library uses the proxy of the environment for all addresses. */
function transporterOf(choice: ProxyChoice) {
  const proxy = choice.proxyOf(tokenUrl);
  return proxy === undefined ? { noProxy: [/^/] } : { proxy: proxy.url.reveal() };
}

async function settle(answer: Promise<string | null | undefined>, call: UpstreamCall): Promise<string> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(abortReason(call.signal));
  if (call.signal.aborted) abort();
  call.signal.addEventListener("abort", abort, { once: true });
  try {
    const text = await Promise.race([
      aborted,
      answer.catch((error: unknown) => Promise.reject(tokenFailure(error, call))),
    ]);
    if (text) return text;
    throw callFailure(
      "PROVIDER_CREDENTIALS_REJECTED",
      "Google issued no access token for Dragoman's credentials: the operator must check them",
      call,
    );
  } finally {
    call.signal.removeEventListener("abort", abort);
  }
}

/** Converts an error of the library. Omits the cause, which contains the request with signed claims and secrets. */
function tokenFailure(error: unknown, call: UpstreamCall) {
  const facts = typeof error === "object" && error !== null ? error : {};
  const status = "status" in facts && typeof facts.status === "number" ? facts.status : 0;
  const code = "code" in facts && typeof facts.code === "string" ? facts.code : "";
  // A failed connection has a code, and an HTTP error has a status. The other errors are wrong credentials: rejected by
  // Google (4xx), in a missing key file (ENOENT), or invalid (neither code nor status).
  if (status >= 500 || status === 429 || (status === 0 && code !== "" && code !== "ENOENT")) {
    return callFailure("PROVIDER_UNAVAILABLE", "Google issued no access token: retry", call, { code });
  }
  return callFailure(
    "PROVIDER_CREDENTIALS_REJECTED",
    "Dragoman's credentials for Google Cloud are missing or invalid: the operator must check them",
    call,
    { code },
  );
}
