import { networkOf } from "../load/network.ts";

/** Wrong keys of one address that Dragoman rejects at once, for clients with an old key. */
const burst = 20;
/** Delay in milliseconds of the first rejection after the burst. It doubles with each further wrong key. */
const firstDelayMs = 100;
const longestDelayMs = 5_000;
/** Time in milliseconds after which an address has one wrong key less. */
const forgetMs = 10_000;
/** Wrong keys above which the delay does not grow. */
const most = burst + 1 + Math.ceil(Math.log2(longestDelayMs / firstDelayMs));
/** Maximum addresses to remember. Dragoman then forgets the address whose last wrong key is the oldest. */
const mostAddresses = 10_000;

/** Counts wrong API keys by address, to delay their rejection. Right keys are never delayed. */
export class WrongKeys {
  /** By address; the most recent wrong key is last. */
  readonly #counts = new Map<string, { readonly count: number; readonly atMs: number }>();

  /** Counts a wrong key. Returns the milliseconds to wait before the rejection. */
  count(address: string, nowMs: number): number {
    const name = networkOf(address);
    const known = this.#counts.get(name);
    const left = known === undefined ? 0 : Math.max(0, known.count - (nowMs - known.atMs) / forgetMs);
    const count = Math.min(left + 1, most);
    this.#counts.delete(name);
    this.#counts.set(name, { count, atMs: nowMs });
    if (this.#counts.size > mostAddresses) {
      const [oldest = ""] = this.#counts.keys();
      this.#counts.delete(oldest);
    }
    return count <= burst ? 0 : Math.min(firstDelayMs * 2 ** (count - burst - 1), longestDelayMs);
  }
}
