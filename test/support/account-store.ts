import type { AccountStore, Changes, StoredAccount, StoredKey } from "../../src/accounts/account-store.ts";

/**
 * Keys and accounts in memory, for tests of what follows a database. `away`: whether every method rejects. `reads`: how
 * often somebody read changes.
 */
export class AccountStoreInMemory implements AccountStore {
  away = false;
  reads = 0;
  /** Ids of keys whose rows cannot be read. */
  readonly unreadable = new Set<string>();
  /** What each read waits for before it reads. */
  gate: Promise<void> = Promise.resolve();
  #revision = 0;
  #keys = new Map<string, { key: StoredKey; revision: number }>();
  #accounts = new Map<string, { account: StoredAccount; revision: number }>();

  /** Returns an independent copy, such as a backup. */
  copy(): AccountStoreInMemory {
    const copy = new AccountStoreInMemory();
    copy.#revision = this.#revision;
    copy.#keys = new Map(this.#keys);
    copy.#accounts = new Map(this.#accounts);
    return copy;
  }

  /** Replaces everything by what another store has. */
  restore(other: AccountStoreInMemory): void {
    this.#revision = other.#revision;
    this.#keys = new Map(other.#keys);
    this.#accounts = new Map(other.#accounts);
  }

  async changesAfter(known: number): Promise<Changes> {
    this.reads++;
    await this.gate;
    this.#requirePresent();
    const rows = [...this.#keys.values(), ...this.#accounts.values()]
      .filter(({ revision }) => revision > known)
      .sort((a, b) => a.revision - b.revision);
    const portion = rows.slice(0, 3);
    const more = portion.length < rows.length;
    return {
      revision: more ? (portion.at(-1)?.revision ?? 0) : this.#revision,
      keys: portion.flatMap((row) => ("key" in row && !this.unreadable.has(row.key.id) ? [{ ...row.key }] : [])),
      accounts: portion.flatMap((row) => ("account" in row ? [{ ...row.account }] : [])),
      unreadable: portion.flatMap((row) =>
        "key" in row && this.unreadable.has(row.key.id)
          ? [{ kind: "key" as const, id: row.key.id, why: "broken" }]
          : [],
      ),
      more,
    };
  }

  async createKey(key: StoredKey): Promise<void> {
    this.#requirePresent();
    this.#keys.set(key.id, { key, revision: ++this.#revision });
  }

  async rotateKey(id: string, { sha256, nowMs, formerExpiresMs }: Parameters<AccountStore["rotateKey"]>[1]) {
    return this.#change(id, (key) => {
      if (key.revokedMs !== undefined) return undefined;
      const current = key.secrets.filter(({ expiresMs }) => expiresMs === undefined);
      const former = current.map((secret) => ({ ...secret, expiresMs: formerExpiresMs }));
      const kept = formerExpiresMs > nowMs ? former : [];
      return { ...key, secrets: [...kept, { sha256, expiresMs: undefined }] };
    });
  }

  async revokeKey(id: string, nowMs: number) {
    return this.#change(id, (key) => ({ ...key, revokedMs: key.revokedMs ?? nowMs }));
  }

  async createAccount(account: StoredAccount): Promise<boolean> {
    this.#requirePresent();
    if (this.#accounts.has(account.id)) return false;
    this.#accounts.set(account.id, { account, revision: ++this.#revision });
    return true;
  }

  async updateAccount(settings: Parameters<AccountStore["updateAccount"]>[0]) {
    this.#requirePresent();
    const known = this.#accounts.get(settings.id)?.account;
    if (known === undefined) return undefined;
    const account = { ...settings, createdMs: known.createdMs };
    this.#accounts.set(settings.id, { account, revision: ++this.#revision });
    return account;
  }

  #change(id: string, change: (key: StoredKey) => StoredKey | undefined): StoredKey | undefined {
    this.#requirePresent();
    const known = this.#keys.get(id)?.key;
    const key = known && change(known);
    if (key !== undefined) this.#keys.set(id, { key, revision: ++this.#revision });
    return key;
  }

  #requirePresent(): void {
    if (this.away) throw new Error("ECONNREFUSED");
  }
}
