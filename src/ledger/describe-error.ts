/** Returns the code of a system error, such as ENOSPC, or else the message of the error, with the code of its cause. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = codeOf(error);
  if (code !== undefined) return code;
  const cause = codeOf(error.cause);
  return cause === undefined ? error.message : `${error.message} (${cause})`;
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
