import { setTimeout as delay } from "node:timers/promises";
import { GatewayError } from "../errors.ts";
import type { AccountStore, Changes, StoredAccount, StoredKey } from "./account-store.ts";
import { type LimitedHolder, limitedAccount, limitedKey } from "./limits/claims.ts";
import { mergeSorted } from "./merge-sorted.ts";

/** Interval in ms of the reads that follow changes by other processes, which thus take at most two seconds. */
const pollMs = 1000;
/** Least interval in ms of the reads because of unknown keys. */
const leastMs = 250;
/** Time in ms after which a read has failed. */
const readTimeoutMs = 5000;

/** Ids that the configuration has. It takes precedence over the database. */
export interface ConfiguredIds {
  readonly keys: ReadonlySet<string>;
  readonly accounts: ReadonlySet<string>;
}

interface MirrorOptions {
  readonly store: AccountStore;
  readonly configured: ConfiguredIds;
  /** Called if the database stops or starts to respond; without an error if it responds. */
  readonly onState?: (error?: GatewayError) => void;
  /** Called once for a key or account of the database that has no effect. `why`: its name and the reason. */
  readonly onIgnored?: (why: string) => void;
}

/**
 * Keys and accounts of the database in the memory of this process. It follows the changes of all processes, and keeps
 * what it knows while the database does not respond.
 */
export class StoreMirror {
  readonly #options: MirrorOptions;
  readonly #keys = new Map<string, StoredKey>();
  readonly #bySha256 = new Map<string, StoredKey>();
  readonly #accounts = new Map<string, StoredAccount>();
  readonly #unreadable = new Set<string>();
  readonly #ignored = new Set<string>();
  readonly #closing = new AbortController();
  #configured: ConfiguredIds;
  #keyIds: readonly string[] = [];
  #revision = 0;
  #responds = true;
  #hasTried = false;
  /** The read in progress. */
  #reading: Promise<void> | undefined;
  /** The read that begins when the one in progress has ended. */
  #next: Promise<void> | undefined;
  /** The read for unknown keys, from the first such key until the read begins. */
  #sparing: Promise<void> | undefined;
  #lastSparing = Number.NEGATIVE_INFINITY;

  constructor(options: MirrorOptions) {
    this.#options = options;
    this.#configured = options.configured;
  }

  /** Changes the ids that the configuration has. The others show the entries of the database at once. */
  setConfigured(configured: ConfiguredIds): void {
    this.#configured = configured;
    this.#keyIds = [...this.#keys.keys()].filter((id) => !configured.keys.has(id)).sort();
  }

  /** Reads the database now, and follows its changes until `close`. Never waits for it. */
  start(): void {
    void this.#follow();
  }

  close(): void {
    this.#closing.abort();
  }

  /** Whether the last read of the database succeeded. Undefined: there was none yet. */
  get responds(): boolean | undefined {
    return this.#hasTried ? this.#responds : undefined;
  }

  /** Returns the key with a secret, by the SHA-256 of the whole key. */
  keyOf(sha256: string): StoredKey | undefined {
    const key = this.#bySha256.get(sha256);
    return key !== undefined && this.#configured.keys.has(key.id) ? undefined : key;
  }

  key(id: string): StoredKey | undefined {
    return this.#configured.keys.has(id) ? undefined : this.#keys.get(id);
  }

  /** Ids of all keys but those of the configuration, in order. */
  get keyIds(): readonly string[] {
    return this.#keyIds;
  }

  account(id: string): StoredAccount | undefined {
    return this.#configured.accounts.has(id) ? undefined : this.#accounts.get(id);
  }

  /** Whether an account has settings that cannot be read and that this process has never known: its limits are unknown. */
  isUnreadable(accountId: string): boolean {
    return this.#unreadable.has(accountId) && !this.#configured.accounts.has(accountId);
  }

  accounts(): Iterable<StoredAccount> {
    return [...this.#accounts.values()].filter(({ id }) => !this.#configured.accounts.has(id));
  }

  /** Everybody in the database who can have limits or budgets. */
  *limitedHolders(): Iterable<LimitedHolder> {
    for (const key of this.#keys.values()) if (!this.#configured.keys.has(key.id)) yield limitedKey(key);
    for (const account of this.accounts()) yield limitedAccount(account);
  }

  /** Changes the database, and follows the change. Rejects with STORE_UNAVAILABLE if the database does not respond. */
  async change<Result>(write: (store: AccountStore) => Promise<Result>): Promise<Result> {
    const result = await write(this.#options.store).catch((error: unknown) => Promise.reject(unavailable(error)));
    // The change is made, also if the database stops to respond now.
    await this.refresh().catch(() => undefined);
    return result;
  }

  /**
   * Reads the database. Resolves when a read that began after this call has ended. Rejects with STORE_UNAVAILABLE if the
   * database does not respond.
   */
  refresh(): Promise<void> {
    const begun = this.#reading;
    if (begun === undefined) return this.#begin();
    this.#next ??= begun.then(ignore, ignore).then(() => {
      this.#next = undefined;
      return this.#reading ?? this.#begin();
    });
    return this.#next;
  }

  /** As `refresh`, but with a bounded rate of reads, whatever the number of calls: anybody can send unknown keys. */
  refreshSparingly(): Promise<void> {
    this.#sparing ??= this.#waitForTurn().then(() => {
      this.#sparing = undefined;
      this.#lastSparing = performance.now();
      return this.refresh();
    });
    return this.#sparing;
  }

  async #waitForTurn(): Promise<void> {
    const waitMs = this.#lastSparing + leastMs - performance.now();
    if (waitMs > 0) await delay(waitMs);
  }

  async #follow(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      await this.refresh().catch(ignore);
      await delay(pollMs, undefined, { signal, ref: false }).catch(ignore);
    }
  }

  #begin(): Promise<void> {
    const reading = this.#read().then(
      () => this.#setState(),
      (thrown: unknown) => {
        const error = unavailable(thrown);
        this.#setState(error);
        throw error;
      },
    );
    this.#reading = reading.finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #read(): Promise<void> {
    let more = true;
    while (more) {
      const changes = await inTime(this.#options.store.changesAfter(this.#revision));
      more = changes.more;
      if (changes.revision < this.#revision) {
        // The database was replaced, such as by a backup.
        this.#clear();
        more = true;
      } else this.#apply(changes);
    }
  }

  #apply({ revision, keys, accounts, unreadable }: Changes): void {
    const configured = this.#configured;
    for (const { kind, id, why } of unreadable) {
      this.#ignore(`${kind} ${id}: ${why}`);
      // The key may be revoked. An account keeps its former limits.
      if (kind === "key") this.#removeKey(id);
      else if (!this.#accounts.has(id)) this.#unreadable.add(id);
    }
    const newIds: string[] = [];
    for (const key of keys) {
      if (configured.keys.has(key.id)) this.#ignore(`key ${key.id}: the configuration has a key with this id`);
      else if (!this.#keys.has(key.id)) newIds.push(key.id);
      this.#setKey(key);
    }
    this.#keyIds = mergeSorted(this.#keyIds, newIds.sort());
    for (const account of accounts) {
      const { id } = account;
      this.#unreadable.delete(id);
      if (configured.accounts.has(id)) this.#ignore(`account ${id}: the configuration has an account with this id`);
      this.#accounts.set(id, Object.freeze(account));
    }
    this.#revision = revision;
  }

  #removeKey(id: string): void {
    for (const { sha256 } of this.#keys.get(id)?.secrets ?? []) this.#bySha256.delete(sha256);
    if (this.#keys.delete(id)) this.#keyIds = this.#keyIds.filter((other) => other !== id);
  }

  #setKey(key: StoredKey): void {
    for (const { sha256 } of this.#keys.get(key.id)?.secrets ?? []) this.#bySha256.delete(sha256);
    this.#keys.set(key.id, Object.freeze(key));
    for (const { sha256 } of key.secrets) this.#bySha256.set(sha256, key);
  }

  #ignore(why: string): void {
    if (this.#ignored.has(why)) return;
    this.#ignored.add(why);
    this.#options.onIgnored?.(why);
  }

  #clear(): void {
    this.#keys.clear();
    this.#bySha256.clear();
    this.#accounts.clear();
    this.#unreadable.clear();
    this.#keyIds = [];
    this.#revision = 0;
  }

  #setState(error?: GatewayError): void {
    if (this.#closing.signal.aborted) return;
    const responds = error === undefined;
    this.#hasTried = true;
    if (responds === this.#responds) return;
    this.#responds = responds;
    this.#options.onState?.(error);
  }
}

/** Rejects if a read takes too long. Nobody uses its result then. */
async function inTime<T>(read: Promise<T>): Promise<T> {
  const timeout = new AbortController();
  const late = delay(readTimeoutMs, undefined, { signal: timeout.signal, ref: false }).then(() => {
    throw new Error(`no response within ${readTimeoutMs} ms`);
  });
  late.catch(ignore);
  read.catch(ignore);
  try {
    return await Promise.race([read, late]);
  } finally {
    timeout.abort();
  }
}

function unavailable(thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError) return thrown;
  return new GatewayError("STORE_UNAVAILABLE", "the database of keys and accounts does not respond; retry later", {
    retryAfterMs: pollMs,
    cause: thrown,
  });
}

function ignore(): void {}
