/**
 * Count of the records in the outbox that are not in the database yet. The thread that writes the outbox and the one
 * that ships it count in shared memory, so that reading the count needs neither a message nor a look at the files. It
 * also stays right when the thread that ships starts again.
 */
export class PendingRecords {
  readonly memory: SharedArrayBuffer;
  /** Records of this process, and those of the folders that it took over. */
  readonly #counts: BigInt64Array;

  /** @param memory memory of the other thread's count. Default: a new one. */
  constructor(memory = new SharedArrayBuffer(2 * BigInt64Array.BYTES_PER_ELEMENT)) {
    this.memory = memory;
    this.#counts = new BigInt64Array(memory);
  }

  get total(): number {
    // A record can be shipped before the writer has counted it.
    const own = Math.max(0, Number(Atomics.load(this.#counts, ownIndex)));
    return own + Number(Atomics.load(this.#counts, adoptedIndex));
  }

  /** The process has written records. */
  written(records: number): void {
    Atomics.add(this.#counts, ownIndex, BigInt(records));
  }

  /** Somebody removed the folder of the process. */
  removed(): void {
    Atomics.store(this.#counts, ownIndex, 0n);
  }

  /** The process took over a folder with records that the database lacks. */
  adopted(records: number): void {
    Atomics.add(this.#counts, adoptedIndex, BigInt(records));
  }

  /** The process has given up all folders that it took over. */
  released(): void {
    Atomics.store(this.#counts, adoptedIndex, 0n);
  }

  /** Records have been shipped, or will never be accepted. */
  shipped(records: number, from: "own" | "adopted"): void {
    Atomics.sub(this.#counts, from === "own" ? ownIndex : adoptedIndex, BigInt(records));
  }
}

const ownIndex = 0;
const adoptedIndex = 1;
