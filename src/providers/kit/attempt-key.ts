import type { ProviderSettings } from "../../config/provider.ts";
import type { Secret } from "../../config/secret.ts";
import type { AttemptContext } from "../../upstream/upstream-call.ts";

/** Returns the API key of an attempt: its own, else the first key of the provider. Undefined: there is none. */
export function keyOf(
  { apiKey }: Pick<AttemptContext, "apiKey">,
  settings: Pick<ProviderSettings, "apiKey">,
): Secret | undefined {
  return apiKey ?? settings.apiKey;
}

/**
 * Returns the header with the API key of an attempt; empty without a key.
 *
 * @param header name of the header. In `authorization`, the key is a bearer token.
 */
export function keyHeader(
  header: string,
  context: Pick<AttemptContext, "apiKey">,
  settings: Pick<ProviderSettings, "apiKey">,
): Readonly<Record<string, string>> {
  const key = keyOf(context, settings)?.reveal();
  if (key === undefined) return {};
  return { [header]: header === "authorization" ? `Bearer ${key}` : key };
}
