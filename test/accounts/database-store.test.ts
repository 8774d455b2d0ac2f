import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { sql } from "kysely";
import { expect, it } from "vitest";
import type { AccountStore, StoredAccount, StoredKey } from "../../src/accounts/account-store.ts";
import { createKey, type NewKeySettings, revokeKey, rotateKey } from "../../src/accounts/manage-keys.ts";
import { createAccountStore } from "../../src/accounts/sql/database-store.ts";
import type { AccountSettings } from "../../src/config/account.ts";
import type { Database } from "../../src/database/database.ts";
import { describeDatabases, type TestDatabases } from "../support/databases.ts";

const settings: NewKeySettings = {
  displayName: "Team A",
  accounts: ["billing", "research"],
  defaultAccount: "billing",
  role: "viewer",
  models: ["gpt-*", "*/gpt-*"],
  expiresMs: Date.parse("2030-01-01T00:00:00.123Z"),
  limits: { requestsPerMinute: 600, tokensPerMinute: 1e12, concurrentCalls: undefined, shadow: true },
  budgets: [
    {
      ...{ amountNanos: 9_000_000 * 1e9 - 1, period: "quarter", timeZone: "Europe/Berlin" },
      ...{ warnAt: 0.5, shadow: false, unpriced: "allow" },
    },
  ],
};

const account: StoredAccount = {
  ...{ id: "billing", displayName: "Billing \ud83d\ude42", models: ["*"], expiresMs: undefined, limits: undefined },
  ...{ budgets: settings.budgets, onStoreLoss: "deny", createdMs: Date.parse("2026-11-29T12:00:00Z") },
};

/** Returns all keys and accounts. */
async function readAll(
  store: AccountStore,
): Promise<{ keys: StoredKey[]; accounts: AccountSettings[]; portions: number }> {
  const all = { keys: [] as StoredKey[], accounts: [] as AccountSettings[], portions: 0 };
  let revision = 0;
  for (let more = true; more; ) {
    const changes = await store.changesAfter(revision);
    all.keys.push(...changes.keys);
    all.accounts.push(...changes.accounts);
    all.portions++;
    ({ more, revision } = changes);
  }
  return all;
}

const currentOf = (key: StoredKey) => key.secrets.filter(({ expiresMs }) => expiresMs === undefined);

describeDatabases("keys and accounts in the database", (databases: TestDatabases) => {
  async function open(): Promise<{ database: Database; store: AccountStore }> {
    const database = await databases.connect();
    return { database, store: createAccountStore(database) };
  }

  it.each(["unknown", "", "a\0b", "%", "0".repeat(32)])("has no key with the id %j", async (id) => {
    const { store } = await open();
    const error = { reason: "RESOURCE_NOT_FOUND" };
    await expect(rotateKey(store, id)).rejects.toMatchObject(error);
    await expect(revokeKey(store, id)).rejects.toMatchObject(error);
  });

  it("keeps every setting of a key and of an account", async () => {
    const { store } = await open();
    const { key, text } = await createKey(store, settings);
    expect(text).toMatch(new RegExp(`^sk-drgm-${key.id}-[0-9a-f]{64}$`));
    expect(await store.createAccount(account)).toBe(true);
    const { keys, accounts } = await readAll(store);
    expect(keys).toEqual([key]);
    expect(keys[0]).toMatchObject(settings);
    expect(accounts).toEqual([account]);
  });

  it("stores no key that callers could send", async () => {
    const { store, database } = await open();
    const { text } = await createKey(store, settings);
    const rows = await Promise.all(
      ["api_key", "api_key_secret"].map(async (table) =>
        sql`select * from ${sql.table(table)}`.execute(await database.open()),
      ),
    );
    const stored = JSON.stringify(rows, (_, value) => (typeof value === "bigint" ? String(value) : value));
    expect(stored).not.toContain(text.slice(-64));
  });

  it("returns only what changed after a revision", async () => {
    const { store } = await open();
    const first = await createKey(store, settings);
    const { revision } = await store.changesAfter(0);
    expect(await store.changesAfter(revision)).toMatchObject({ revision, keys: [], accounts: [], more: false });
    await createKey(store, settings);
    await revokeKey(store, first.key.id);
    await store.createAccount(account);
    const changes = await store.changesAfter(revision + 1);
    expect(changes.keys.map(({ id }) => id)).toEqual([first.key.id]);
    expect(changes.accounts).toHaveLength(1);
  });

  it("returns many keys and accounts in portions, each once", async () => {
    const { store, database } = await open();
    const { key } = await createKey(store, settings);
    await store.createAccount(account);
    const tables = await database.open();
    const { kind } = database;
    const numbers = (from: number) =>
      kind === "sqlite"
        ? sql`(with recursive n(value) as (select ${sql.raw(String(from))} union all select value + 2 from n where value < 1300) select value from n)`
        : sql`(select generate_series(${from}::int, 1301, 2) as value)`;
    for (const [table, from] of [
      ["api_key", 3],
      ["account", 4],
    ] as const) {
      const id = kind === "sqlite" ? sql`id || numbers.value` : sql`id || numbers.value::text`;
      const revoked = table === "api_key" ? sql`, revoke_time` : sql``;
      await sql`insert into ${sql.table(table)} (id, settings, create_time, revision ${revoked})
        select ${id}, settings, create_time, numbers.value ${revoked}
        from ${sql.table(table)}, ${numbers(from)} as numbers`.execute(tables);
    }
    await sql`update revision set value = 1302`.execute(tables);
    const { keys, accounts, portions } = await readAll(store);
    const odd = Array.from({ length: 650 }, (_, index) => index * 2 + 3);
    expect(new Set(keys.map(({ id }) => id))).toEqual(new Set([key.id, ...odd.map((number) => key.id + number)]));
    expect(keys).toHaveLength(651);
    expect(accounts).toHaveLength(650);
    expect(portions).toBe(2);
  });

  it("changes one key and one account from three replicas at the same time", async () => {
    const address = await databases.address();
    const store = createAccountStore(await databases.connect(address));
    const { key } = await createKey(store, settings);
    const replicas = await Promise.all(
      [1, 2, 3].map(async () => {
        const workerData = { address, id: key.id, times: 4, account };
        const worker = new Worker(new URL("./changing-worker.ts", import.meta.url), { workerData });
        const [result] = (await once(worker, "message")) as [{ texts: string[]; isNew: boolean }];
        return result;
      }),
    );
    expect(new Set(replicas.flatMap(({ texts }) => texts)).size).toBe(12);
    expect(replicas.filter(({ isNew }) => isNew)).toHaveLength(1);
    const { keys, accounts } = await readAll(store);
    const [rotated] = keys;
    expect(rotated?.secrets).toHaveLength(2);
    expect(rotated && currentOf(rotated)).toHaveLength(1);
    expect(accounts).toEqual([account]);
    const { key: ended } = await rotateKey(store, key.id, 0);
    expect(ended.secrets).toEqual(currentOf(ended));
  });

  it("ends the older of two former secrets at once, and the newer at its time", async () => {
    const { store } = await open();
    const { key } = await createKey(store, settings);
    const first = await rotateKey(store, key.id, 60_000);
    const second = await rotateKey(store, key.id, 5000);
    const [former] = second.key.secrets.filter(({ expiresMs }) => expiresMs !== undefined);
    expect(former?.sha256).toBe(currentOf(first.key)[0]?.sha256);
    expect(former?.expiresMs).toBeLessThanOrEqual(Date.now() + 5000);
    expect(second.key.secrets.map(({ sha256 }) => sha256)).not.toContain(key.secrets[0]?.sha256);
  });

  it("keeps the time of the first revocation, and rotates no revoked key", async () => {
    const { store } = await open();
    const { key } = await createKey(store, settings);
    const { revokedMs } = await revokeKey(store, key.id);
    expect(await store.revokeKey(key.id, Date.now() + 60_000)).toMatchObject({ revokedMs });
    await expect(rotateKey(store, key.id)).rejects.toMatchObject({ reason: "RESOURCE_NOT_FOUND" });
    for (const change of [rotateKey, revokeKey]) {
      await expect(change(store, "unknown")).rejects.toMatchObject({ reason: "RESOURCE_NOT_FOUND" });
    }
  });

  it("replaces all settings of an account, and creates none", async () => {
    const { store } = await open();
    expect(await store.createAccount(account)).toBe(true);
    expect(await store.createAccount({ ...account, displayName: "again" })).toBe(false);
    const { createdMs: _, ...given } = account;
    for (const displayName of ["first", "second"]) {
      const updated = await store.updateAccount({ ...given, displayName, budgets: [] });
      expect(updated).toEqual({ ...account, displayName, budgets: [] });
    }
    expect((await readAll(store)).accounts).toMatchObject([{ displayName: "second", budgets: [] }]);
    expect(await store.updateAccount({ ...given, id: "unknown" })).toBeUndefined();
  });

  it("names a row that cannot be read, ignores items of newer versions, and returns the rest", async () => {
    const { store, database } = await open();
    const { key } = await createKey(store, settings);
    const { key: other } = await createKey(store, { ...settings, role: "admin" });
    const tables = await database.open();
    const write = (id: string, json: object) =>
      sql`update api_key set settings = ${JSON.stringify(json)} where id = ${id}`.execute(tables);
    await write(key.id, { role: "emperor" });
    await write(other.id, { role: "admin", limits: { images_per_minute: 3, requests_per_minute: 4 }, color: "red" });
    const { keys, unreadable } = await store.changesAfter(0);
    const why = expect.stringContaining("its column settings cannot be read");
    expect(unreadable).toEqual([{ kind: "key", id: key.id, why }]);
    expect(keys).toMatchObject([{ id: other.id, role: "admin", limits: { requestsPerMinute: 4 } }]);
  });

  it("rejects with STORE_UNAVAILABLE if the database cannot be opened", async () => {
    const { kind } = (await open()).database;
    const away = kind === "sqlite" ? { kind, path: "/etc/passwd/a.db" } : { kind, url: "postgres://localhost:1/none" };
    const store = createAccountStore(await databases.connect(away as Parameters<TestDatabases["connect"]>[0]));
    await expect(store.changesAfter(0)).rejects.toMatchObject({ reason: "STORE_UNAVAILABLE" });
    await expect(createKey(store, settings)).rejects.toMatchObject({ reason: "STORE_UNAVAILABLE" });
  });
});
