// Most servers send the name of a call once, some in every delta, and a few in pieces (`get_`, then `weather`). The
// SDKs differ: the openai package for Python appends, so it doubles repeated names; the one for JavaScript keeps the
// last, and Vercel's AI SDK the first, so both lose pieces. The names of the request's functions tell the cases apart.

/**
 * Returns the name of a call after a further delta with a name.
 *
 * @param names names of the functions of the request
 */
export function joinName(known: string, next: string, names: readonly string[]): string {
  if (known === "" || next === "") return known + next;
  const joined = known + next;
  if (names.some((name) => name.startsWith(joined))) return joined;
  return next.startsWith(known) ? next : joined;
}

/** Whether a function of the request has a longer name that begins with the name so far. */
export function mayGoOn(known: string, names: readonly string[]): boolean {
  return names.some((name) => name.length > known.length && name.startsWith(known));
}
