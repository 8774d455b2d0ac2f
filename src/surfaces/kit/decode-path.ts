/** A part of a path, its percent signs decoded; as it stands where they are wrong: such a name names nothing. */
export function decodePart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
