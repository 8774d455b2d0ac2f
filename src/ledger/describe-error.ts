/**
 * Returns the code of a system error, such as ENOSPC, or else the message of the error, with its code or that of its
 * cause: the codes of databases, such as 28000 or ERR_SQLITE_ERROR, say little.
 */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = codeOf(error);
  if (own !== undefined && /^E[A-Z0-9]+$/.test(own)) return own;
  const code = own ?? codeOf(error.cause);
  return code === undefined ? error.message : `${error.message} (${code})`;
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
