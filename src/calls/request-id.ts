/** Accepts only a short request id of plain characters, because it is written to logs and headers. */
export function cleanRequestId(given: string | null | undefined): string | undefined {
  return given && /^[\w.:/+=-]{1,128}$/.test(given) ? given : undefined;
}
