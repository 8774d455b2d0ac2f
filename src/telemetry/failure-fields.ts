import { fieldText, type GatewayError } from "../errors.ts";
import type { SentRequest } from "../ledger/sent-request.ts";
import { hideQuotes } from "./hide-quotes.ts";

/** Maximum characters of a text. */
const longestText = 1000;

/** Maximum number of invalid fields that are named. */
const mostFields = 8;

/**
 * Returns the fields of the log about a failure.
 *
 * @param request what the provider may quote in its words. Undefined: no provider was asked
 */
export function failureFields(error: GatewayError, request: SentRequest | undefined) {
  const { message, facts } = error;
  const { provider, providerMessage, retryAfterMs, fields, failedGeneration } = facts;
  // Dragoman's own texts quote no prompt.
  const hasWords = Boolean(providerMessage || provider?.code);
  const quotable = [hasWords && request ? textsOf(request) : undefined, failedGeneration];
  const shown = (text: string) => shorten(hideQuotes(text, quotable));
  return {
    message: shown(message),
    fields: fields?.slice(0, mostFields).map(fieldText),
    provider_status: provider?.httpStatus || undefined,
    provider_code: provider?.code ? shown(provider.code) : undefined,
    provider_message: providerMessage === undefined ? undefined : shown(providerMessage),
    proxy: facts.metadata?.proxy,
    ...connectionFields(error.cause),
    retry_after_ms: retryAfterMs,
  };
}

/** Returns the texts of a request that its provider may quote. */
function textsOf(request: SentRequest): unknown {
  if (request.$typeName === "dragoman.v1.EmbedRequest") return request.inputs;
  const { messages, tools } = request;
  return [messages, tools.map(({ kind }) => (kind.case === "function" ? kind.value.description : ""))];
}

/** Returns the address of a failed connection, and the code of its error, such as ECONNREFUSED. */
function connectionFields(cause: unknown) {
  if (!(cause instanceof Error)) return undefined;
  const code = "code" in cause ? cause.code : cause.cause instanceof Error && "code" in cause.cause && cause.cause.code;
  return {
    host: "host" in cause ? cause.host : undefined,
    port: "port" in cause ? cause.port : undefined,
    code: typeof code === "string" ? code : undefined,
  };
}

function shorten(text: string): string {
  return text.length <= longestText ? text : `${text.slice(0, longestText).toWellFormed()}…`;
}
