import type { Reason } from "../errors.ts";

/** What a failed connection means. */
interface Failure {
  /** Clause after `the provider could not be reached`. */
  readonly words: string;
  readonly reason?: Reason;
  /** Whether a further attempt at the same address may succeed. Default true. */
  readonly mayPass?: boolean;
}

const timedOut: Failure = { words: "connecting timed out", reason: "PROVIDER_TIMEOUT" };
const closed: Failure = { words: "the server closed the connection" };
const ended: Failure = { words: "the server ended the HTTP/2 stream" };
const unreachable: Failure = { words: "there is no network route to the server" };
const nameNotFound: Failure = { words: "the DNS has no address for the server's name", mayPass: false };
const noTls: Failure = { words: "the server does not speak TLS", mayPass: false };
const noHttp: Failure = { words: "the server does not speak HTTP/1.1", mayPass: false };
const noVersion: Failure = { words: "the server supports none of Dragoman's TLS or HTTP versions", mayPass: false };
const selfSigned: Failure = { words: "the server's certificate is self-signed", mayPass: false };
const unknownIssuer: Failure = { words: "the issuer of the server's certificate is not trusted", mayPass: false };

/**
 * Failures by error code. Codes are those of Node.js (https://nodejs.org/api/errors.html,
 * https://nodejs.org/api/tls.html#x509-certificate-error-codes), of OpenSSL, and of undici (UND_ERR_).
 */
const failures: Readonly<Record<string, Failure>> = {
  ENOTFOUND: nameNotFound,
  EAI_AGAIN: { words: "the DNS did not answer" },
  ECONNREFUSED: { words: "the server refused the connection" },
  ECONNRESET: closed,
  EPIPE: closed,
  UND_ERR_SOCKET: closed,
  UND_ERR_CONNECT_TIMEOUT: timedOut,
  ETIMEDOUT: timedOut,
  ERR_HTTP2_STREAM_ERROR: ended,
  ERR_HTTP2_SESSION_ERROR: ended,
  PING_TIMEOUT: { words: "the server stopped answering" },
  EHOSTUNREACH: unreachable,
  ENETUNREACH: unreachable,
  EADDRNOTAVAIL: unreachable,
  CERT_HAS_EXPIRED: { words: "the server's certificate has expired", mayPass: false },
  CERT_NOT_YET_VALID: { words: "the server's certificate is not valid yet", mayPass: false },
  CERT_REVOKED: { words: "the server's certificate was revoked", mayPass: false },
  DEPTH_ZERO_SELF_SIGNED_CERT: selfSigned,
  SELF_SIGNED_CERT_IN_CHAIN: unknownIssuer,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownIssuer,
  UNABLE_TO_GET_ISSUER_CERT: unknownIssuer,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownIssuer,
  ERR_TLS_CERT_ALTNAME_INVALID: { words: "the server's certificate is for another host", mayPass: false },
  HOSTNAME_MISMATCH: { words: "the server's certificate is for another host", mayPass: false },
  // A server without TLS answers with something else, of which OpenSSL reads the wrong bytes.
  ERR_SSL_WRONG_VERSION_NUMBER: noTls,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: noTls,
  ERR_SSL_HTTP_REQUEST: noTls,
  ERR_SSL_UNSUPPORTED_PROTOCOL: noVersion,
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: noVersion,
  ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL: noVersion,
};

/** Failures by the beginning of the code, for codes that are too many to list. */
const families: readonly (readonly [RegExp, Failure])[] = [
  [/^ERR_SSL_|^EPROTO$/, { words: "the TLS handshake failed" }],
  [
    /^(?:CERT_|CRL_|INVALID_CA$|PATH_LENGTH_|UNABLE_TO_)/,
    { words: "the server's certificate is not valid", mayPass: false },
  ],
  [/^HTTPParserError$/, { words: "the server's response is not valid HTTP" }],
];

/** Returns what an error of a connection means, before the response headers have arrived. */
export function meaningOf(error: Error): Failure {
  const code = codeOf(error);
  // llhttp's words for a response that is not HTTP/1.1. undici 8.12.4 sets no code.
  if (code === "HTTPParserError" && /\((?:Expected HTTP\/|Invalid HTTP version)/.test(error.message)) return noHttp;
  const known = failures[code] ?? families.find(([pattern]) => pattern.test(code))?.[1];
  return known ?? { words: "the connection failed" };
}

/** Returns the code of an error, else its name. */
export function codeOf(error: Error): string {
  return "code" in error && typeof error.code === "string" && error.code !== "" ? error.code : error.name;
}

/** Failure of a connection, for the operator's log. Callers must not see the address. */
export class ConnectionError extends Error {
  override readonly name = "ConnectionError";
  readonly code: string;
  readonly host: string;
  readonly port: number;

  constructor(error: Error, url: URL) {
    // The error of several addresses has no message of its own.
    const all = error instanceof AggregateError ? error.errors : [error];
    const messages = all.map((one) => (one instanceof Error ? one.message : String(one)));
    super(`${url.host}: ${messages.join("; ")}`, { cause: error });
    this.code = codeOf(error);
    this.host = url.hostname;
    this.port = Number(url.port || (url.protocol === "https:" ? 443 : 80));
  }
}
