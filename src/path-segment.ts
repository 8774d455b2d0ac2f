/** A name as one step of a path: without slashes of its own, so that two lists of names never make the same path. */
export function pathSegment(name: string): string {
  return name.replaceAll("%", "%25").replaceAll("/", "%2F");
}
