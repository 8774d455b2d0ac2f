import { setTimeout as delay } from "node:timers/promises";
import { ownerOf } from "../holder.ts";
import { budgetPast, type LimitedHolder, placesOf } from "./claims.ts";
import type { Claim } from "./limit-store.ts";
import type { SpendingReader } from "./spending-reader.ts";

/** Maximum accounts or keys of one query. */
const mostIds = 500;

/** Waits in ms. Those with a `first` and a `longest` double each time. */
interface Waits {
  /** Maximum time that a call waits for what its budgets had spent. */
  readonly longestMs: number;
  /**
   * Before the spending is read again. After the longest wait, it is not. Records can reach the database late: those of
   * a process that was killed, and those of this process from before it knew the budget.
   */
  readonly again: { readonly firstMs: number; readonly longestMs: number };
  /** After the database did not respond. */
  readonly retry: { readonly firstMs: number; readonly longestMs: number };
}

const usual: Waits = {
  longestMs: 1000,
  again: { firstMs: 1000, longestMs: 3_600_000 },
  retry: { firstMs: 1000, longestMs: 5_000 },
};

/** What a budget had spent in its period before this process counted it. */
interface Entry {
  readonly holder: string;
  /** Beginning of the period. */
  startMs: number;
  /** This process counts the calls that began at this time or later. The ledger has the others. */
  sinceMs: number;
  /** Undefined: not known yet. */
  nanos: number | undefined;
}

interface Options {
  readonly reader: SpendingReader;
  /** Time in ms since 1970 before the first call of this process. */
  readonly sinceMs: number;
  /** Called if the ledger stops or starts to respond; with an error if it does not. */
  readonly onState?: (error?: unknown) => void;
  readonly waits?: Waits;
}

/**
 * What calls have spent of budgets before this process counted them: from the ledger, which has the calls of this process
 * too. Each call counts once: the ledger's part has the calls that began before the process counted the budget, and is
 * replaced, not added to, when it is read again.
 */
export class PastSpending {
  readonly #options: Options;
  readonly #waits: Waits;
  readonly #entries = new Map<string, Entry>();
  readonly #closing = new AbortController();
  #due = new Set<Entry>();
  #isReading = false;
  #responds = true;
  #round = Promise.withResolvers<void>();

  constructor(options: Options) {
    this.#options = options;
    this.#waits = options.waits ?? usual;
  }

  /** Begins to read what budgets have spent that apply since the process began, so that no call waits for it. */
  prepare(holders: Iterable<LimitedHolder>): void {
    const nowMs = Date.now();
    for (const { holder, budgets = [] } of holders) {
      for (const [place, budget] of placesOf(budgets)) {
        const { series, startMs } = budgetPast(budget, place, nowMs);
        const key = keyOf(series, holder);
        if (!this.#entries.has(key)) this.#add(key, { holder, startMs, sinceMs: this.#options.sinceMs });
      }
    }
  }

  /**
   * Resolves when it is known what the budgets had spent, or after a second. Undefined: it is known, or the database does
   * not respond.
   */
  untilKnown(claims: readonly Claim[]): Promise<void> | undefined {
    const unknown: Entry[] = [];
    for (const claim of claims) {
      const entry = this.#entryOf(claim);
      if (entry !== undefined && entry.nanos === undefined) unknown.push(entry);
    }
    return unknown.length === 0 || !this.#responds ? undefined : this.#wait(unknown);
  }

  /** Returns the nanodollars that the budget of a claim had spent, as far as they are known. */
  of(claim: Claim): number {
    const entry = this.#entryOf(claim);
    return entry?.startMs === claim.past?.startMs ? (entry?.nanos ?? 0) : 0;
  }

  close(): void {
    this.#closing.abort();
    this.#round.resolve();
  }

  #entryOf({ holder, past, period }: Claim): Entry | undefined {
    if (past === undefined) return undefined;
    const { series, startMs, beganMs } = past;
    const key = keyOf(series, holder);
    const entry = this.#entries.get(key);
    // The budget is new: the calls before this one have not counted.
    if (entry === undefined) return this.#add(key, { holder, startMs, sinceMs: beganMs });
    // The call began first, and claims second.
    if (beganMs < entry.sinceMs) entry.sinceMs = beganMs;
    const isFormer = (period?.endMs ?? 0) <= entry.startMs;
    if (startMs !== entry.startMs && !isFormer) {
      entry.startMs = startMs;
      entry.nanos = undefined;
      this.#readSoon(entry);
    }
    return entry;
  }

  #add(key: string, fields: Omit<Entry, "nanos">): Entry {
    const entry: Entry = { ...fields, nanos: undefined };
    this.#entries.set(key, entry);
    this.#readSoon(entry);
    return entry;
  }

  #readSoon(entry: Entry): void {
    // A period that begins while the process counts the budget.
    if (entry.startMs >= entry.sinceMs) entry.nanos = 0;
    else {
      this.#due.add(entry);
      void this.#read();
    }
  }

  async #wait(entries: readonly Entry[]): Promise<void> {
    const timeout = AbortSignal.timeout(this.#waits.longestMs);
    const late = new Promise<void>((resolve) => timeout.addEventListener("abort", () => resolve(), { once: true }));
    const isOver = () => timeout.aborted || this.#closing.signal.aborted || !this.#responds;
    while (!isOver() && entries.some(({ nanos }) => nanos === undefined)) {
      await Promise.race([this.#round.promise, late]);
    }
  }

  /** Reads what is due, until nothing is. */
  async #read(): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    // What is added in this turn is read together.
    await Promise.resolve();
    const { retry, again } = this.#waits;
    let waitMs = retry.firstMs;
    while (this.#due.size > 0 && !this.#closing.signal.aborted) {
      const due = [...this.#due];
      this.#due = new Set();
      const failed = await this.#readAll(due);
      if (failed.length === 0) {
        waitMs = retry.firstMs;
        this.#readAgain(due, again.firstMs);
      } else {
        for (const entry of failed) this.#due.add(entry);
        await delay(waitMs, undefined, { ref: false, signal: this.#closing.signal }).catch(() => undefined);
        waitMs = Math.min(2 * waitMs, retry.longestMs);
      }
    }
    this.#isReading = false;
  }

  #readAgain(entries: readonly Entry[], waitMs: number): void {
    if (waitMs > this.#waits.again.longestMs) return;
    const again = async (): Promise<void> => {
      await delay(waitMs, undefined, { ref: false, signal: this.#closing.signal });
      await this.#readAll(entries);
      this.#readAgain(entries, 2 * waitMs);
    };
    again().catch(() => undefined);
  }

  /** Returns the entries that could not be read. */
  async #readAll(entries: readonly Entry[]): Promise<readonly Entry[]> {
    const batches = batchesOf(entries.filter(({ startMs, sinceMs }) => startMs < sinceMs));
    for (const [index, batch] of batches.entries()) {
      try {
        await this.#readBatch(batch);
        this.#setState();
      } catch (error) {
        this.#setState(error);
        return batches.slice(index).flat();
      } finally {
        this.#round.resolve();
        this.#round = Promise.withResolvers();
      }
    }
    return [];
  }

  async #readBatch(entries: readonly Entry[]): Promise<void> {
    const [first] = entries;
    if (first === undefined) return;
    const { startMs, sinceMs: endMs } = first;
    const owners = entries.map(({ holder }) => ownerOf(holder));
    const ids = [...new Set(owners.map(({ id }) => id))];
    const spent = await this.#options.reader.spentBy({ by: ownerOf(first.holder).by, ids, startMs, endMs });
    entries.forEach((entry, index) => {
      // The period or the budget can have changed meanwhile: then another read follows.
      if (entry.startMs === startMs) entry.nanos = spent.get(owners[index]?.id ?? "") ?? 0;
    });
  }

  #setState(error?: unknown): void {
    const responds = error === undefined;
    if (responds === this.#responds || this.#closing.signal.aborted) return;
    this.#responds = responds;
    this.#options.onState?.(error);
  }
}

function keyOf(series: string, holder: string): string {
  return `${series}:${holder}`;
}

/** Groups entries that one query can read. */
function batchesOf(entries: readonly Entry[]): readonly (readonly Entry[])[] {
  const groups = new Map<string, Entry[][]>();
  for (const entry of entries) {
    const name = `${ownerOf(entry.holder).by} ${entry.startMs} ${entry.sinceMs}`;
    const batches = groups.get(name) ?? [];
    groups.set(name, batches);
    const last = batches.at(-1);
    if (last === undefined || last.length >= mostIds) batches.push([entry]);
    else last.push(entry);
  }
  return [...groups.values()].flat();
}
