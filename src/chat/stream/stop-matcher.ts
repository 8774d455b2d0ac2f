/** Text that can be sent after a delta. */
interface Matched {
  readonly text: string;
  /** Stop sequence that ended the response directly after the text; undefined if there was none yet. */
  readonly stop: string | undefined;
}

/**
 * Finds the first stop sequence in a stream, even across deltas, and holds back text that may be the beginning of one.
 * The first sequence is the one that ends first; of two that end together, the longer one.
 */
export class StopMatcher {
  readonly #stops: readonly string[];
  #held = "";

  constructor(stops: readonly string[]) {
    this.#stops = stops;
  }

  /** Adds a delta and returns the text that can be sent. Do not call it again after it found a stop sequence. */
  push(delta: string): Matched {
    const text = this.#held + delta;
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

  get holdsText(): boolean {
    return this.#held !== "";
  }

  /** Returns the text that was held back, at the end of a response without a stop sequence. */
  flush(): string {
    const held = this.#held;
    this.#held = "";
    return held;
  }
}

/** Returns the length of the longest suffix of the text that is a proper prefix of the stop sequence. */
function overlap(text: string, stop: string): number {
  for (let length = Math.min(text.length, stop.length - 1); length > 0; length--) {
    if (text.endsWith(stop.slice(0, length))) return length;
  }
  return 0;
}
