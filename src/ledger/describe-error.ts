/**
 * Returns the code of a system error, such as ENOSPC, with the address of a connection that failed. Of other errors, it
 * returns the message with the code or that of the cause: the codes of databases, such as 28000 or ERR_SQLITE_ERROR, say
 * little.
 */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // All addresses of a host failed.
  const [first]: readonly unknown[] = error instanceof AggregateError ? error.errors : [];
  if (first !== undefined) return describeError(first);
  const own = codeOf(error);
  if (/^(?:connect|getaddrinfo) E/.test(error.message)) return error.message;
  if (own !== undefined && /^E[A-Z0-9]+$/.test(own)) return own;
  const code = own ?? codeOf(error.cause);
  return code === undefined ? error.message : `${error.message} (${code})`;
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
