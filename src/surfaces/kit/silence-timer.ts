/** Longest silence of a stream that has begun, in milliseconds. */
const pingMs = 15_000;

/** Calls back when a stream has been silent for too long: once after `firstMs`, then every 15 s of silence. */
export class SilenceTimer {
  readonly #onSilence: () => void;
  #timer: NodeJS.Timeout;
  #silentSince: number;

  constructor(firstMs: number, onSilence: () => void) {
    this.#onSilence = onSilence;
    this.#silentSince = performance.now() - pingMs + firstMs;
    this.#timer = setTimeout(this.#check, firstMs);
  }

  /** Something was sent. Costs no timer: the running one checks when it fires. */
  restart(): void {
    this.#silentSince = performance.now();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  readonly #check = (): void => {
    const leftMs = this.#silentSince + pingMs - performance.now();
    if (leftMs <= 0) {
      this.#onSilence();
      this.restart();
    }
    this.#timer = setTimeout(this.#check, leftMs > 0 ? Math.ceil(leftMs) : pingMs);
  };
}
