import { expect } from "vitest";

interface Block {
  readonly language: string;
  readonly text: string;
}

/** Returns the fenced blocks of a page, in order. */
export function blocksOf(page: string): readonly Block[] {
  return [...page.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, language = "", text = ""]) => ({ language, text }));
}

/**
 * Checks that a command printed what a page shows. A line `...` of the page stands for any lines, and ids, times and
 * rates may differ.
 */
export function expectPrinted(printed: string, shown: string): void {
  const lines = masked(printed);
  const expected = masked(shown);
  let place = 0;
  let isAfterGap = false;
  for (const line of expected) {
    if (line === "...") {
      isAfterGap = true;
      continue;
    }
    const found = isAfterGap ? lines.indexOf(line, place) : place;
    expect(lines[found], `line ${place + 1} and later: ${lines.slice(place).join("\n")}`).toBe(line);
    place = found + 1;
    isAfterGap = false;
  }
  if (!isAfterGap) expect(lines.slice(place)).toEqual([]);
}

/** Lines without ids, times and rates. */
function masked(text: string): readonly string[] {
  return text
    .trimEnd()
    .replaceAll(/chatcmpl-[0-9a-f]{32}/g, "<id>")
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, "<time>")
    .replaceAll(/\b\d+(\.\d+)? m?s\b|"\d+(\.\d+)?s"/g, "<duration>")
    .replaceAll(/ · [\d,.]+ tokens\/s/g, "")
    .split("\n");
}
