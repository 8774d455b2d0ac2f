/** What may be shown of an answer so far. */
interface Matched {
  readonly text: string;
  /** The stop sequence that ended the answer just after the text; undefined while there was none. */
  readonly stop: string | undefined;
}

/**
 * Finds the first of several texts in a stream, also where it is split over pieces, and holds back what may be the
 * beginning of one. First is the one that is complete first; of two that end together, the longer.
 */
export class StopMatcher {
  readonly #stops: readonly string[];
  #held = "";

  constructor(stops: readonly string[]) {
    this.#stops = stops;
  }

  /** Takes a piece of the answer. After a stop was found, no more may be pushed. */
  push(piece: string): Matched {
    const text = this.#held + piece;
    let found: { readonly start: number; readonly end: number } | undefined;
    for (const stop of this.#stops) {
      const start = text.indexOf(stop);
      const end = start + stop.length;
      if (start < 0) continue;
      if (found === undefined || end < found.end || (end === found.end && start < found.start)) found = { start, end };
    }
    if (found !== undefined) return { text: text.slice(0, found.start), stop: text.slice(found.start, found.end) };
    const shown = text.length - Math.max(0, ...this.#stops.map((stop) => overlap(text, stop)));
    this.#held = text.slice(shown);
    return { text: text.slice(0, shown), stop: undefined };
  }

  /** What was held back, at the end of an answer that no stop sequence ended. */
  flush(): string {
    const held = this.#held;
    this.#held = "";
    return held;
  }
}

/** The length of the longest end of the text that a stop sequence begins with, without being all of it. */
function overlap(text: string, stop: string): number {
  for (let length = Math.min(text.length, stop.length - 1); length > 0; length--) {
    if (text.endsWith(stop.slice(0, length))) return length;
  }
  return 0;
}
