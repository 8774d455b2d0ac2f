import { type MetricSnapshot, mergeSnapshots, onlyCounts } from "../telemetry/metrics/snapshot.ts";

/** Longest wait in ms for the metrics of a worker. Without them, those of the last time count. */
const longestMs = 1_000;

/** Time in ms in which metrics are not gathered again. */
const freshMs = 250;

interface GathererOptions {
  /** Asks all workers for their metrics, and returns which it asked. */
  ask(): readonly number[];
  /** Returns the metrics of the supervisor itself. */
  own(): readonly MetricSnapshot[];
}

/** Metrics of all workers together, with what ended workers had counted: a counter never goes back. */
export class MetricsGatherer {
  readonly #options: GathererOptions;
  readonly #latest = new Map<number, readonly MetricSnapshot[]>();
  #ended: readonly MetricSnapshot[] = [];
  #waiting = new Set<number>();
  #gathering: PromiseWithResolvers<void> | undefined;
  #untilMs = Number.NEGATIVE_INFINITY;

  constructor(options: GathererOptions) {
    this.#options = options;
  }

  async gather(): Promise<readonly MetricSnapshot[]> {
    if (this.#gathering === undefined && performance.now() >= this.#untilMs) this.#begin();
    await this.#gathering?.promise;
    return mergeSnapshots([...this.#latest.values(), this.#ended, this.#options.own()]);
  }

  receive(worker: number, snapshot: readonly MetricSnapshot[]): void {
    this.#latest.set(worker, snapshot);
    this.#gave(worker);
  }

  leave(worker: number): void {
    this.#ended = mergeSnapshots([this.#ended, onlyCounts(this.#latest.get(worker) ?? [])]);
    this.#latest.delete(worker);
    this.#gave(worker);
  }

  #begin(): void {
    const gathering = Promise.withResolvers<void>();
    this.#gathering = gathering;
    this.#waiting = new Set(this.#options.ask());
    const timer = setTimeout(gathering.resolve, longestMs);
    void gathering.promise.then(() => {
      clearTimeout(timer);
      this.#gathering = undefined;
      this.#untilMs = performance.now() + freshMs;
    });
    if (this.#waiting.size === 0) gathering.resolve();
  }

  #gave(worker: number): void {
    this.#waiting.delete(worker);
    if (this.#waiting.size === 0) this.#gathering?.resolve();
  }
}
