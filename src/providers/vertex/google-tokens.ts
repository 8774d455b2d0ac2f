import { readFile } from "node:fs/promises";
import type { GoogleAuth } from "google-auth-library";
import { z } from "zod";
import { callFailure } from "../../upstream/errors.ts";
import { abortReason, type UpstreamCall } from "../../upstream/upstream-call.ts";

/** Where access tokens for Google Cloud come from. Failures are GatewayErrors; an aborted call waits no longer. */
export interface TokenSource {
  token(call: UpstreamCall): Promise<string>;
  /** The project that the credentials belong to. */
  project(call: UpstreamCall): Promise<string>;
  /** The last token was not accepted. */
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
 * Tokens by a service account's key in a file, else by the application default credentials: the file of any kind that
 * GOOGLE_APPLICATION_CREDENTIALS names, the file of gcloud, or the machine's own account. They are kept until shortly
 * before they end. The library is loaded with the first call that needs it.
 */
export function createGoogleTokens(keyFile: string | undefined, project: string | undefined): TokenSource {
  let auth: Promise<GoogleAuth> | undefined;
  const forget = () => {
    auth = undefined;
  };
  const ask = (call: UpstreamCall, question: (auth: GoogleAuth) => Promise<string | null | undefined>) => {
    auth ??= load(keyFile, project);
    // A file that could not be used may be put right while the service runs.
    auth.catch(forget);
    return settle(auth.then(question), call);
  };
  return {
    token: (call) => ask(call, (loaded) => loaded.getAccessToken()),
    project: (call) => ask(call, (loaded) => loaded.getProjectId()),
    forget,
  };
}

async function load(keyFile: string | undefined, project: string | undefined): Promise<GoogleAuth> {
  const { GoogleAuth, JWT } = await import("google-auth-library");
  // Without a project the library asks Google for it.
  if (keyFile === undefined) return new GoogleAuth({ scopes, ...(project && { projectId: project }) });
  // Not by the library's own keyFilename, which prints a warning.
  const key = serviceAccountKey.parse(JSON.parse(await readFile(keyFile, "utf8")));
  const { client_email: email, private_key, private_key_id: keyId, project_id: projectId } = key;
  const authClient = new JWT({ email, key: private_key, scopes, ...(keyId && { keyId }) });
  return new GoogleAuth({ authClient, ...(projectId && { projectId }) });
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
    throw callFailure("PROVIDER_CREDENTIALS_REJECTED", "Google gave no token for this service's credentials", call);
  } finally {
    call.signal.removeEventListener("abort", abort);
  }
}

/** Without the cause: the library's errors hold the request, and with it signed claims and secrets. */
function tokenFailure(error: unknown, call: UpstreamCall) {
  const facts = typeof error === "object" && error !== null ? error : {};
  const status = "status" in facts && typeof facts.status === "number" ? facts.status : 0;
  const code = "code" in facts && typeof facts.code === "string" ? facts.code : "";
  // Connections that fail have a code, answers have a status; missing or unusable credentials have neither.
  if (status >= 500 || status === 429 || (status === 0 && code !== "" && code !== "ENOENT")) {
    return callFailure("PROVIDER_UNAVAILABLE", "Google gave no access token just now: try again", call, { code });
  }
  return callFailure(
    "PROVIDER_CREDENTIALS_REJECTED",
    "this service's credentials for Google Cloud cannot be used: its operator must check them",
    call,
    { code },
  );
}
