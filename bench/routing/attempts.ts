import type { FaultName } from "./faults.ts";

/** An attempt as the upstream saw it. Times are in ms since 1970. */
export interface Attempt {
  readonly target: string;
  /** Number of the call. */
  readonly call: number;
  /** API key of the request. */
  readonly key: string;
  readonly fault: FaultName | "";
  readonly startedAt: number;
  /** Undefined: the connection is still open. */
  endedAt?: number;
  /** Whether the upstream ended its response as scripted before the connection closed. */
  finished: boolean;
  /** Tokens that the model of the upstream wrote, sent or not. */
  tokens: number;
  /** When this key may be used again, after a 429 that says so. */
  limitedUntil?: number;
}

/** The attempts of each cell, in the order of their start. */
export class AttemptLog {
  readonly #cells = new Map<string, Attempt[]>();
  readonly #counts = new Map<string, number>();

  /** Counts an attempt at the target of the cell. Returns its number, from 0. */
  count(cell: string, target: string): number {
    const key = `${cell}.${target}`;
    const number = this.#counts.get(key) ?? 0;
    this.#counts.set(key, number + 1);
    return number;
  }

  add(cell: string, attempt: Attempt): void {
    const attempts = this.#cells.get(cell);
    if (attempts === undefined) this.#cells.set(cell, [attempt]);
    else attempts.push(attempt);
  }

  of(cell: string): readonly Attempt[] {
    return this.#cells.get(cell) ?? [];
  }
}
