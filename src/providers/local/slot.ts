import { abortable } from "../../abortable.ts";
import type { GeneratedToken, SamplingOptions, Sequence, Token } from "./engine.ts";

/**
 * The prompt is read in pieces of this many tokens, since a piece that was begun cannot be stopped. Smaller ones are
 * not slower by much (measured: 158 tokens/s, against 143 with 512).
 */
const pieceSize = 64;

/** A sequence of the model's memory, used by one request at a time. */
export class Slot {
  readonly #sequence: Sequence;
  /** The last prompt, as far as it was read. */
  #read: readonly Token[] = [];
  /** What the engine is doing; it may go on after the request is gone. */
  #busy: Promise<unknown> = Promise.resolve();

  constructor(sequence: Sequence) {
    this.#sequence = sequence;
  }

  /**
   * Reads a prompt and makes it ready for `generate`. Returns how many of its tokens were there already. Whole pieces
   * only: a token that is read in other company has slightly other values, and equal requests would differ.
   */
  async read(prompt: readonly Token[], signal: AbortSignal): Promise<number> {
    const last = prompt.length - 1;
    let same = 0;
    while (same < last && same < this.#read.length && prompt[same] === this.#read[same]) same++;
    const reused = same - (same % pieceSize);
    this.#read = prompt.slice(0, reused);
    const end = this.#sequence.nextTokenIndex;
    if (end > reused) await this.#run(this.#sequence.eraseContextTokenRanges([{ start: reused, end }]), signal);
    for (let start = reused; start < last; start += pieceSize) {
      const piece = prompt.slice(start, Math.min(start + pieceSize, last));
      await this.#run(this.#sequence.evaluateWithoutGeneratingNewTokens(piece), signal);
      this.#read = prompt.slice(0, start + piece.length);
    }
    return reused;
  }

  /** Generates tokens after a prompt that was read, one each time it is asked, until the model ends its turn. */
  async *generate(
    prompt: readonly Token[],
    probabilities: boolean,
    options: SamplingOptions,
    signal: AbortSignal,
  ): AsyncGenerator<GeneratedToken, void> {
    const tokens = this.#sequence.evaluateWithMetadata(prompt.slice(-1), { probabilities }, options);
    try {
      for (;;) {
        const next = await this.#run(tokens.next(), signal);
        if (next.done) return;
        yield next.value;
      }
    } finally {
      // Not waited for: after a cancellation it ends only when the engine's step does.
      this.#follow(tokens.return());
    }
  }

  /** Waits until the engine does nothing more for the last request. */
  async settled(): Promise<void> {
    await this.#busy;
  }

  #run<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
    this.#follow(work);
    return abortable(work, signal);
  }

  #follow(work: Promise<unknown>): void {
    // Without their values, which would pile up: each promise would hold the one before.
    this.#busy = Promise.allSettled([this.#busy, work]).then(() => undefined);
  }
}
