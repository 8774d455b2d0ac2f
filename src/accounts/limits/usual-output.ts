/** Number of responses that count. The largest of 20 is about the 95th percentile. */
const remembered = 20;
/** Responses from which the size is known well enough. */
const least = 5;
/** Maximum pairs of holder and model. Dragoman then forgets the pair that was used the longest time ago. */
const mostPairs = 4096;

/** Output tokens of the latest responses of each account (or API key) and model. */
export class UsualOutput {
  readonly #outputs = new Map<string, number[]>();

  note(holder: string, model: string, tokens: number): void {
    const key = `${holder} ${model}`;
    const outputs = this.#outputs.get(key) ?? [];
    this.#outputs.delete(key);
    this.#outputs.set(key, outputs);
    outputs.push(tokens);
    if (outputs.length > remembered) outputs.shift();
    if (this.#outputs.size <= mostPairs) return;
    const [oldest = ""] = this.#outputs.keys();
    this.#outputs.delete(oldest);
  }

  /** Returns the output tokens that few responses exceed. Undefined: not known yet. */
  most(holder: string, model: string): number | undefined {
    const outputs = this.#outputs.get(`${holder} ${model}`);
    return outputs === undefined || outputs.length < least ? undefined : Math.max(...outputs);
  }
}
