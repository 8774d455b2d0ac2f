/** Kind of event that was passed on within the last interval. */
interface Held<Event> {
  /** The newest event that was not passed on. Undefined: there is none. */
  newest: { readonly event: Event } | undefined;
  /** Number of events that were not passed on, with the newest. */
  count: number;
  timer: NodeJS.Timeout | undefined;
}

interface SampledOptions<Event> {
  /** Minimum time in ms between two events of a kind that are passed on. */
  readonly intervalMs: number;
  /** Passes an event on. `omitted`: number of earlier events of its kind that were not passed on. */
  readonly pass: (event: Event, omitted: number) => void;
}

/**
 * Samples events that repeat, such as lines of the log. Passes on the first event of a kind at once. Of those that follow
 * within the interval, passes on only the newest, at the end of the interval, with the number of the others.
 */
export class Sampled<Event> {
  readonly #options: SampledOptions<Event>;
  // An entry lives for an interval after the last event that was passed on, so that kinds do not pile up.
  readonly #kinds = new Map<string, Held<Event>>();

  constructor(options: SampledOptions<Event>) {
    this.#options = options;
  }

  add(kind: string, event: Event): void {
    const held = this.#kinds.get(kind);
    if (held === undefined) {
      const first: Held<Event> = { newest: undefined, count: 0, timer: undefined };
      this.#kinds.set(kind, first);
      this.#wait(kind, first);
      this.#options.pass(event, 0);
      return;
    }
    held.newest = { event };
    held.count++;
  }

  /** Passes on what is held, at once. */
  flush(): void {
    for (const [kind, held] of [...this.#kinds]) {
      clearTimeout(held.timer);
      this.#kinds.delete(kind);
      this.#passHeld(held);
    }
  }

  #wait(kind: string, held: Held<Event>): void {
    held.timer = setTimeout(() => {
      if (held.newest === undefined) this.#kinds.delete(kind);
      else {
        this.#wait(kind, held);
        this.#passHeld(held);
      }
    }, this.#options.intervalMs).unref();
  }

  #passHeld(held: Held<Event>): void {
    const { newest, count } = held;
    held.newest = undefined;
    held.count = 0;
    if (newest !== undefined) this.#options.pass(newest.event, count - 1);
  }
}
