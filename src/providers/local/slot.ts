import { abortable } from "../../abortable.ts";
import type { GeneratedToken, SamplingOptions, Sequence, Token } from "./engine.ts";

/**
 * Tokens per evaluation of the prompt. Small, because a running evaluation cannot be cancelled. This costs no speed
 * (measured: 158 tokens/s, against 143 with 512).
 */
const evaluationSize = 64;

/** Token sequence in the model's memory, for one request at a time. */
export class Slot {
  readonly #sequence: Sequence;
  /** Evaluated tokens of the last prompt. */
  #read: readonly Token[] = [];
  /** Running work of the engine, which may continue after its request has ended. */
  #busy: Promise<unknown> = Promise.resolve();

  constructor(sequence: Sequence) {
    this.#sequence = sequence;
  }

  /**
   * Evaluates all but the last token of a prompt. Returns the number of tokens that it reused from the last prompt.
   * Reuses only whole groups of `evaluationSize` tokens, because results depend slightly on which tokens are evaluated
   * together, and equal requests must give equal responses.
   */
  async read(prompt: readonly Token[], signal: AbortSignal): Promise<number> {
    const last = prompt.length - 1;
    let same = 0;
    while (same < last && same < this.#read.length && prompt[same] === this.#read[same]) same++;
    const reused = same - (same % evaluationSize);
    this.#read = prompt.slice(0, reused);
    const end = this.#sequence.nextTokenIndex;
    if (end > reused) await this.#run(this.#sequence.eraseContextTokenRanges([{ start: reused, end }]), signal);
    for (let start = reused; start < last; start += evaluationSize) {
      const piece = prompt.slice(start, Math.min(start + evaluationSize, last));
      await this.#run(this.#sequence.evaluateWithoutGeneratingNewTokens(piece), signal);
      this.#read = prompt.slice(0, start + piece.length);
    }
    return reused;
  }

  /** Generates one token per pull, after `read` has evaluated the prompt, until the model ends its turn. */
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
      // Not awaited, so that a cancelled request ends at once: the engine first finishes its current step.
      this.#follow(tokens.return());
    }
  }

  /** Waits until the engine has finished all work for the last request. */
  async settled(): Promise<void> {
    await this.#busy;
  }

  #run<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
    this.#follow(work);
    return abortable(work, signal);
  }

  #follow(work: Promise<unknown>): void {
    // Drops the results: otherwise each promise would retain the previous one, and memory would grow.
    this.#busy = Promise.allSettled([this.#busy, work]).then(() => undefined);
  }
}
