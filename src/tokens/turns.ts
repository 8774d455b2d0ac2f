import { FairSlots } from "../fair-slots.ts";
import type { CountContext } from "./counting-limits.ts";

/** Abort reason of a call that gets no turn. */
const gaveUp = Symbol("gave up");

/**
 * Turns for long texts. One call at a time has a turn, and the accounts alternate, so that the texts of one account
 * delay the next text of another by at most one turn.
 */
export class Turns {
  /** Without a maximum number of calls: `maxQueueBytes` and `maxTimeMs` bound the queue. */
  readonly #slots = new FairSlots(1, Number.POSITIVE_INFINITY, { thing: "token counting", retryAfterMs: 0 });
  /** Bytes of the waiting texts of each account that has any. */
  readonly #waitingBytes = new Map<string, number>();
  /** Ends the wait of each waiting call. */
  readonly #waits = new Set<() => void>();

  /**
   * Waits for a turn, which the caller must release. Resolves to false if the call gets none: its account has too many
   * bytes waiting, it waits too long, or `endWaits` is called. Rejects with the signal's reason when it is aborted.
   */
  async take({ holder, signal, limits }: CountContext, bytes: number): Promise<boolean> {
    signal.throwIfAborted();
    const before = this.#waitingBytes.get(holder) ?? 0;
    if (before + bytes > limits.maxQueueBytes) return false;
    this.#waitingBytes.set(holder, before + bytes);
    const wait = new AbortController();
    const giveUp = () => wait.abort(gaveUp);
    const onAbort = () => wait.abort(signal.reason);
    const timer = setTimeout(giveUp, limits.maxTimeMs);
    this.#waits.add(giveUp);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      const turn = this.#slots.take({ holder, signal: wait.signal });
      // Without a wait, the text counts as waiting no longer than this function runs.
      if (turn !== undefined) await turn;
      return true;
    } catch (error) {
      if (error === gaveUp) return false;
      throw error;
    } finally {
      clearTimeout(timer);
      this.#waits.delete(giveUp);
      signal.removeEventListener("abort", onAbort);
      const rest = (this.#waitingBytes.get(holder) ?? 0) - bytes;
      if (rest > 0) this.#waitingBytes.set(holder, rest);
      else this.#waitingBytes.delete(holder);
    }
  }

  release({ holder }: CountContext): void {
    this.#slots.release({ holder });
  }

  endWaits(): void {
    for (const giveUp of this.#waits) giveUp();
  }
}
