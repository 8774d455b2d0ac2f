/** Maximum time without output in ms. `firstMs` applies instead before the first call of `onSilence`. */
const pingMs = 15_000;

/** Timer that calls `onSilence` after `firstMs` ms without output, then after every 15 s without output. */
export class SilenceTimer {
  readonly #onSilence: () => void;
  #timer: NodeJS.Timeout;
  #silentSince: number;

  constructor(firstMs: number, onSilence: () => void) {
    this.#onSilence = onSilence;
    this.#silentSince = performance.now() - pingMs + firstMs;
    this.#timer = setTimeout(this.#check, firstMs);
  }

  /** Call it after each output. Creates no timer: the running one checks the time of the last output when it fires. */
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
