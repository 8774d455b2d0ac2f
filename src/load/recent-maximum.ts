/** Maximum of the last samples, for a metric that is read at any time and by several readers. */
export class RecentMaximum {
  readonly #samples: number[];
  #next = 0;

  /** @param count number of samples that it covers */
  constructor(count: number) {
    this.#samples = new Array<number>(count).fill(0);
  }

  get value(): number {
    return Math.max(...this.#samples);
  }

  add(sample: number): void {
    this.#samples[this.#next] = sample;
    this.#next = (this.#next + 1) % this.#samples.length;
  }
}
