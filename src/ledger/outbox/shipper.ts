import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describeError } from "../describe-error.ts";
import type { LedgerLog } from "../ledger-log.ts";
import { MinuteCount } from "../minute-count.ts";
import type { RecordSink } from "../record-sink.ts";
import { recordLostCalls } from "./adopt.ts";
import { deliver, rejectedPath } from "./deliver.ts";
import { databaseOf, listFolders, OutboxFolder } from "./folder.ts";
import { PendingRecords } from "./pending-records.ts";
import { ShipperLines } from "./shipper-lines.ts";
import { type Damage, RecordSource } from "./source.ts";

/** Maximum number of records that a sink gets at once. */
const batchRecords = 500;

/** Time in ms between two looks for new records. Each look that finds some is a transaction, which waits for the disk. */
const pollMs = 400;

/** Time in ms between two looks for the folders of processes that have ended. */
const adoptMs = 60_000;

/** Bounds in ms on the wait after a sink failed. It doubles with each failure in a row. */
const backoff = { firstMs: 200, longestMs: 30_000 };

export interface ShipperOptions {
  /** Absolute path of `store.outbox`. */
  readonly outbox: string;
  /** Name of the folder of this process in the outbox. Undefined: it has none. */
  readonly instance: string | undefined;
  /** Name of the database that the records are for. */
  readonly database: string;
  /** At least one. */
  readonly sinks: readonly RecordSink[];
  /** Count of the records that the first sink lacks. Default: nobody reads it. */
  readonly pending?: PendingRecords;
  readonly log: LedgerLog;
}

/** State of the shipper, for metrics. */
export interface ShipperState {
  /** Bytes of the outbox that at least one sink has not stored yet, with the folders that were taken over. */
  readonly pendingBytes: number;
  readonly sinks: readonly {
    readonly name: string;
    /** Records that the sink has stored. */
    readonly stored: number;
    /** Records that the sink will never accept. */
    readonly rejected: number;
    /** Why the sink does not accept records now. Undefined: it does. */
    readonly failure: string | undefined;
  }[];
}

/** One sink, and how it does. */
interface Delivery {
  readonly sink: RecordSink;
  readonly rejections: MinuteCount;
  stored: number;
  failures: number;
  failure: string | undefined;
  /** Resolves when the sink has had everything once. */
  readonly caughtUp: PromiseWithResolvers<void>;
}

/** Folder of a process that has ended, which this process ships. */
interface Adopted {
  readonly folder: OutboxFolder;
  readonly source: RecordSource;
}

/**
 * Ships the records of the outbox to sinks: those of this process, and those of processes that have ended. Its work on
 * files blocks, so it belongs in a thread of its own.
 */
export class Shipper {
  readonly #options: ShipperOptions;
  readonly #deliveries: readonly Delivery[];
  readonly #pending: PendingRecords;
  readonly #own: RecordSource | undefined;
  readonly #adopted = new Set<Adopted>();
  readonly #foreign = new Set<string>();
  readonly #lines: ShipperLines;
  readonly #stopping = new AbortController();
  #running: Promise<unknown> = Promise.resolve();

  constructor(options: ShipperOptions) {
    this.#options = options;
    const { outbox, instance, sinks, log, pending = new PendingRecords() } = options;
    this.#pending = pending;
    pending.released();
    this.#deliveries = sinks.map((sink) => ({
      sink,
      rejections: new MinuteCount((count) => {
        const fields = { sink: sink.name, count, file: rejectedPath(outbox, sink.name) };
        log.warn(fields, "the sink will never accept some call records; they are in the file");
      }),
      stored: 0,
      failures: 0,
      failure: undefined,
      caughtUp: Promise.withResolvers<void>(),
    }));
    this.#lines = new ShipperLines(log);
    if (instance !== undefined) this.#own = this.#sourceOf(join(outbox, instance), false);
  }

  /** Ships from now on, and takes over the folders of ended processes, at once and then every minute. */
  start(): void {
    const adopting = this.#keepAdopting();
    const ships = this.#deliveries.map((delivery) => this.#keepShipping(delivery));
    this.#running = Promise.all([adopting, ...ships]);
  }

  /**
   * Resolves when a sink has stored what ended processes left before `start`, or after `longestMs` milliseconds.
   *
   * @param name name of the sink
   */
  async untilCaughtUp(name: string, longestMs: number): Promise<void> {
    const delivery = this.#deliveries.find(({ sink }) => sink.name === name);
    const timer = new AbortController();
    const late = delay(longestMs, undefined, { signal: timer.signal, ref: false }).catch(() => undefined);
    await Promise.race([delivery?.caughtUp.promise, late]).finally(() => timer.abort());
  }

  /** Stops shipping when the batches in progress have ended. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    for (const { rejections } of this.#deliveries) rejections.flush();
    this.#lines.flush();
    for (const { folder } of this.#adopted) folder.release();
    this.#adopted.clear();
    this.#pending.released();
  }

  /**
   * Stops shipping, and then ships what is left, until a sink fails or the deadline passes. The process must have
   * written its last record. Returns whether nothing is left; otherwise the next process ships the rest.
   *
   * @param deadlineMs maximum time in ms
   */
  async flush(deadlineMs: number): Promise<boolean> {
    const timer = new AbortController();
    const late = delay(deadlineMs, false, { signal: timer.signal }).catch(() => false);
    return Promise.race([this.#flush(performance.now() + deadlineMs), late]).finally(() => timer.abort());
  }

  /** Ships all records that there are now. Returns false if a sink failed, or if the deadline passed before the last. */
  async shipAll(deadline = Number.POSITIVE_INFINITY): Promise<boolean> {
    const results = await Promise.all(this.#deliveries.map((delivery) => this.#shipAll(delivery, deadline)));
    this.#removeEmpty();
    return results.every(Boolean);
  }

  /** Takes over the folders of ended processes with the same database. */
  adopt(): void {
    const { outbox, instance, database, log } = this.#options;
    const taken = new Set([...this.#adopted].map(({ folder }) => folder.path));
    for (const path of listFolders(outbox)) {
      if (taken.has(path) || (instance !== undefined && path === join(outbox, instance))) continue;
      try {
        this.#adoptFolder(path, database);
      } catch (error) {
        log.warn({ folder: path, reason: describeError(error) }, "cannot take over a folder of the outbox");
      }
    }
  }

  get state(): ShipperState {
    return {
      pendingBytes: this.#sources().reduce((sum, { pendingBytes }) => sum + pendingBytes, 0),
      sinks: this.#deliveries.map(({ sink: { name }, stored, rejections, failure }) => {
        return { name, stored, rejected: rejections.total, failure };
      }),
    };
  }

  #adoptFolder(path: string, database: string): void {
    const { log } = this.#options;
    const named = databaseOf(path);
    if (named !== undefined && named !== database) {
      if (!this.#foreign.has(path)) {
        log.warn({ folder: path, database: named }, "a folder of the outbox is for another database; it is left alone");
      }
      this.#foreign.add(path);
      return;
    }
    const folder = OutboxFolder.adopt(path);
    if (folder === undefined) return;
    const source = this.#sourceOf(path, true);
    const [first] = this.#deliveries;
    let lost: number;
    let waiting = 0;
    try {
      lost = recordLostCalls(path, (end) => {
        if (first !== undefined && source.needs(first.sink.name, end)) waiting++;
      });
    } catch (error) {
      folder.release();
      throw error;
    }
    const { pendingBytes } = source;
    this.#adopted.add({ folder, source });
    this.#pending.adopted(waiting);
    if (pendingBytes > 0)
      log.info({ folder: path, bytes: pendingBytes, lost }, "took over the outbox of a process that has ended");
    this.#removeEmpty();
  }

  #sourceOf(folder: string, isSealed: boolean): RecordSource {
    const { sinks } = this.#options;
    const onDamage = (damage: Damage): void => this.#lines.damage(damage);
    return new RecordSource(
      folder,
      sinks.map(({ name }) => name),
      isSealed,
      onDamage,
    );
  }

  #sources(): readonly RecordSource[] {
    const adopted = [...this.#adopted].map(({ source }) => source);
    return this.#own === undefined ? adopted : [this.#own, ...adopted];
  }

  #removeEmpty(): void {
    for (const adopted of this.#adopted) {
      if (!adopted.source.isEmpty) continue;
      this.#adopted.delete(adopted);
      adopted.folder.release();
    }
  }

  async #flush(deadline: number): Promise<boolean> {
    this.#stopping.abort();
    await this.#running;
    this.#own?.seal();
    const isShipped = await this.shipAll(deadline);
    await this.stop();
    return isShipped && (this.#own?.isEmpty ?? true);
  }

  async #keepAdopting(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      this.adopt();
      await this.#pause(adoptMs);
    }
  }

  async #keepShipping(delivery: Delivery): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      const isFull = await this.#ship(delivery);
      this.#removeEmpty();
      if (delivery.failure !== undefined) await this.#pause(backoffMs(delivery.failures));
      else if (!isFull) await this.#pause(pollMs);
    }
  }

  async #shipAll(delivery: Delivery, deadline: number): Promise<boolean> {
    for (;;) {
      const isFull = await this.#ship(delivery);
      if (delivery.failure !== undefined) return false;
      if (!isFull) return true;
      if (performance.now() >= deadline) return false;
    }
  }

  /** Ships a batch from each folder. Returns whether there may be more. */
  async #ship(delivery: Delivery): Promise<boolean> {
    const { sink } = delivery;
    let isFull = false;
    try {
      for (const source of this.#sources()) {
        const read = source.read(sink.name, batchRecords);
        const rejected = await deliver(read.records, sink, this.#options.outbox);
        source.advance(sink.name, read);
        if (delivery === this.#deliveries[0]) {
          this.#pending.shipped(read.count, source === this.#own ? "own" : "adopted");
        }
        if (rejected > 0) delivery.rejections.add(rejected);
        delivery.stored += read.records.length - rejected;
        isFull ||= read.records.length === batchRecords;
      }
      if (delivery.failure !== undefined) this.#lines.state({ sink: sink.name, reason: undefined });
      delivery.failure = undefined;
      delivery.failures = 0;
      if (!isFull) delivery.caughtUp.resolve();
    } catch (error) {
      const reason = describeError(error);
      if (delivery.failure === undefined) this.#lines.state({ sink: sink.name, reason });
      delivery.failure = reason;
      delivery.failures++;
    }
    return isFull;
  }

  /** Resolves after a time in ms, or when the shipper stops. */
  async #pause(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
  }
}

/** Returns the wait in ms after a number of failures in a row: half of it fixed and half of it at random. */
function backoffMs(failures: number): number {
  const longest = Math.min(backoff.longestMs, backoff.firstMs * 2 ** (failures - 1));
  return longest * (0.5 + Math.random() / 2);
}
