/**
 * Random numbers from a state of 32 bits (mulberry32). A copy of the state returns the same numbers, so that PlanChat
 * can say what the next call will draw.
 */
export class Draws {
  #state: number;

  constructor(seed: number = Math.floor(Math.random() * 2 ** 32)) {
    this.#state = seed >>> 0;
  }

  /** Returns a number from 0 to below 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** Returns generators that draw what this one draws next. */
  copy(): Draws {
    return new Draws(this.#state);
  }
}

/**
 * Draws an item in proportion to its weight. If all weights are 0, each item is as likely.
 *
 * @param items at least one
 */
export function drawWeighted<Item>(items: readonly Item[], weightOf: (item: Item) => number, draw: () => number): Item {
  const weights = items.map(weightOf);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let rest = draw() * (total === 0 ? items.length : total);
  for (const [index, item] of items.entries()) {
    rest -= total === 0 ? 1 : (weights[index] ?? 0);
    if (rest < 0) return item;
  }
  return items.at(-1) as Item;
}
