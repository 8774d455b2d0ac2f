/** Finds the names that a misspelled name probably meant, nearest first. Ignores case. */
export function nearest(name: string, candidates: Iterable<string>, limit = 3): readonly string[] {
  const wanted = name.toLowerCase();
  const maxDistance = Math.max(2, Math.floor(wanted.length / 4));
  const found: { candidate: string; distance: number }[] = [];
  for (const candidate of candidates) {
    // The distance is at least the difference in length. Skipping such candidates also bounds the work for a long name.
    if (Math.abs(candidate.length - wanted.length) > maxDistance) continue;
    const distance = editDistance(wanted, candidate.toLowerCase());
    if (distance <= maxDistance) found.push({ candidate, distance });
  }
  found.sort((a, b) => a.distance - b.distance || (a.candidate < b.candidate ? -1 : 1));
  return found.slice(0, limit).map(({ candidate }) => candidate);
}

/** Levenshtein distance: number of insertions, deletions and replacements that turn one text into the other. */
function editDistance(first: string, second: string): number {
  let row = Array.from({ length: second.length + 1 }, (_, column) => column);
  for (let line = 1; line <= first.length; line++) {
    const next = [line];
    for (let column = 1; column <= second.length; column++) {
      const replaced = (row[column - 1] ?? 0) + (first[line - 1] === second[column - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[second.length] ?? 0;
}
