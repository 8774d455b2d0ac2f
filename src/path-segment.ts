/** Escapes slashes in a name, so that different lists of names, joined with slashes, never give the same path. */
export function pathSegment(name: string): string {
  return name.replaceAll("%", "%25").replaceAll("/", "%2F");
}
