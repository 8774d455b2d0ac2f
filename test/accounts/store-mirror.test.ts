import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { StoredAccount } from "../../src/accounts/account-store.ts";
import { createAuthenticator } from "../../src/accounts/keys.ts";
import { createKey, revokeKey, rotateKey } from "../../src/accounts/manage-keys.ts";
import { StoreMirror } from "../../src/accounts/store-mirror.ts";
import type { GatewayError } from "../../src/errors.ts";
import { AccountStoreInMemory } from "../support/account-store.ts";

const settings = { displayName: "", accounts: [], defaultAccount: undefined, role: "caller" as const };
const account = (id: string): StoredAccount => ({ id, displayName: "", onStoreLoss: "local", createdMs: 0 });

/** A process that follows a store: how it authenticates a key, and what it reports. */
function replicaOf(store: AccountStoreInMemory, configured: { keys?: string[]; accounts?: string[] } = {}) {
  const states: (GatewayError | undefined)[] = [];
  const ignored: string[] = [];
  const mirror = new StoreMirror({
    store,
    configured: { keys: new Set(configured.keys), accounts: new Set(configured.accounts) },
    onState: (error) => states.push(error),
    onIgnored: (why) => ignored.push(why),
  });
  onTestFinished(() => mirror.close());
  const authenticate = createAuthenticator({ mode: "keys", keys: [], requireAccount: false }, mirror);
  return {
    ...{ mirror, states, ignored },
    /** Returns the id of the key, or the reason and the message of the error. */
    async ask(text: string): Promise<string> {
      try {
        return (await authenticate(new Headers({ "x-api-key": text }))).keyId;
      } catch (error) {
        const { reason, message } = error as GatewayError;
        return `${reason}: ${message}`;
      }
    },
    askAtOnce: (text: string) => authenticate(new Headers({ "x-api-key": text })),
  };
}

const unknown = (digit: string) => `sk-drgm-${digit.repeat(32)}-${digit.repeat(64)}`;

describe("keys of the database", () => {
  it("work at once in a process that does not know them yet, and then without a wait", async () => {
    const store = new AccountStoreInMemory();
    const { ask, askAtOnce } = replicaOf(store);
    const { key, text } = await createKey(store, settings);
    expect(await ask(text)).toBe(key.id);
    expect(askAtOnce(text)).toMatchObject({ keyId: key.id, role: "caller" });
  });

  it("are rejected with the reason when they were revoked, rotated or expired", async () => {
    const store = new AccountStoreInMemory();
    const { ask, mirror } = replicaOf(store);
    const revoked = await createKey(store, settings);
    const rotated = await createKey(store, settings);
    const expiring = await createKey(store, { ...settings, expiresMs: Date.now() + 60_000 });
    for (const { key, text } of [revoked, rotated, expiring]) expect(await ask(text)).toBe(key.id);
    await revokeKey(store, revoked.key.id);
    const next = await rotateKey(store, rotated.key.id, 60_000);
    await mirror.refresh();
    expect(await ask(revoked.text)).toMatch(/^CREDENTIALS_INVALID: the API key was revoked at /);
    expect(await ask(rotated.text)).toBe(rotated.key.id);
    expect(await ask(next.text)).toBe(rotated.key.id);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 60_000 });
    onTestFinished(() => void vi.useRealTimers());
    expect(await ask(rotated.text)).toMatch(/^CREDENTIALS_INVALID: the API key was rotated, and this secret expired/);
    expect(await ask(next.text)).toBe(rotated.key.id);
    expect(await ask(expiring.text)).toMatch(/^CREDENTIALS_INVALID: the API key expired at /);
  });

  it("are read once for any number of unknown keys, and not for keys of another form", async () => {
    const store = new AccountStoreInMemory();
    const { ask } = replicaOf(store);
    expect(await ask("sk-other")).toMatch(/^CREDENTIALS_INVALID: unknown API key/);
    expect(store.reads).toBe(0);
    const keys = Array.from({ length: 3000 }, (_, index) => unknown((index % 10).toString()));
    const answers = await Promise.all(keys.map(ask));
    expect(new Set(answers)).toEqual(new Set([expect.stringMatching(/^CREDENTIALS_INVALID/)]));
    expect(store.reads).toBeLessThanOrEqual(2);
  });

  it("are found although a flood of wrong keys arrives, which reads at most four times a second", async () => {
    const store = new AccountStoreInMemory();
    const { ask } = replicaOf(store);
    const startMs = performance.now();
    const flood = (async () => {
      while (performance.now() - startMs < 1000) await Promise.all(["1", "2", "3"].map((digit) => ask(unknown(digit))));
    })();
    const { key, text } = await createKey(store, settings);
    expect(await ask(text)).toBe(key.id);
    await flood;
    const seconds = (performance.now() - startMs) / 1000;
    expect(store.reads).toBeLessThanOrEqual(4 * seconds + 3);
  });

  it("go on while the database is away, and unknown ones get STORE_UNAVAILABLE", async () => {
    const store = new AccountStoreInMemory();
    const { ask, mirror, states } = replicaOf(store);
    const known = await createKey(store, settings);
    expect(await ask(known.text)).toBe(known.key.id);
    store.away = true;
    await expect(mirror.refresh()).rejects.toMatchObject({ reason: "STORE_UNAVAILABLE" });
    expect(await ask(known.text)).toBe(known.key.id);
    expect(await ask(unknown("a"))).toMatch(/^STORE_UNAVAILABLE: /);
    expect(states).toMatchObject([{ reason: "STORE_UNAVAILABLE" }]);
    store.away = false;
    const later = await createKey(store, settings);
    expect(await ask(later.text)).toBe(later.key.id);
    expect(states.at(-1)).toBeUndefined();
    expect(states).toHaveLength(2);
  });

  it("are followed by polling: a revoked key is rejected without any other request", async () => {
    const store = new AccountStoreInMemory();
    const { ask, mirror } = replicaOf(store);
    const { key, text } = await createKey(store, settings);
    mirror.start();
    expect(await ask(text)).toBe(key.id);
    await revokeKey(store, key.id);
    await vi.waitUntil(() => mirror.key(key.id)?.revokedMs !== undefined, { timeout: 10_000 });
    expect(await ask(text)).toMatch(/revoked/);
  });
});

describe("the mirror of the database", () => {
  it("reads once for all who ask in the meantime, after the read in progress", async () => {
    const store = new AccountStoreInMemory();
    const { mirror } = replicaOf(store);
    const { promise, resolve } = Promise.withResolvers<void>();
    store.gate = promise;
    const first = mirror.refresh();
    const others = [mirror.refresh(), mirror.refresh(), mirror.refresh()];
    expect(store.reads).toBe(1);
    resolve();
    await Promise.all([first, ...others]);
    expect(store.reads).toBe(2);
  });

  it("has the database of a backup after it was restored", async () => {
    const store = new AccountStoreInMemory();
    const { mirror } = replicaOf(store);
    const kept = await createKey(store, settings);
    const backup = store.copy();
    const lost = await createKey(store, settings);
    await store.createAccount(account("lost"));
    await mirror.refresh();
    expect(mirror.keyIds).toHaveLength(2);
    store.restore(backup);
    await mirror.refresh();
    expect(mirror.keyIds).toEqual([kept.key.id]);
    expect(mirror.keyOf(lost.key.secrets[0]?.sha256 ?? "")).toBeUndefined();
    expect(mirror.account("lost")).toBeUndefined();
  });

  it("ignores what the configuration has, and reports it once", async () => {
    const store = new AccountStoreInMemory();
    const { key, text } = await createKey(store, settings);
    await store.createAccount(account("billing"));
    const { mirror, ignored, ask } = replicaOf(store, { keys: [key.id], accounts: ["billing"] });
    await mirror.refresh();
    await store.updateAccount({ ...account("billing"), displayName: "changed" });
    await mirror.refresh();
    expect(mirror.account("billing")).toBeUndefined();
    expect(await ask(text)).toMatch(/^CREDENTIALS_INVALID/);
    expect(ignored).toEqual([
      `key ${key.id}: the configuration has a key with this id`,
      "account billing: the configuration has an account with this id",
    ]);
  });

  it("accepts no key whose row cannot be read any more: it may be revoked", async () => {
    const store = new AccountStoreInMemory();
    const { mirror, ask, ignored } = replicaOf(store);
    const { key, text } = await createKey(store, settings);
    expect(await ask(text)).toBe(key.id);
    store.unreadable.add(key.id);
    await revokeKey(store, key.id);
    await mirror.refresh();
    expect(await ask(text)).toMatch(/^CREDENTIALS_INVALID/);
    expect(mirror.keyIds).toEqual([]);
    expect(ignored).toEqual([`key ${key.id}: broken`]);
  });

  it("shows a change at once in the process that makes it, and rejects it while the database is away", async () => {
    const store = new AccountStoreInMemory();
    const { mirror } = replicaOf(store);
    const { key } = await mirror.change((changed) => createKey(changed, settings));
    expect(mirror.key(key.id)).toEqual(key);
    store.away = true;
    await expect(mirror.change((changed) => createKey(changed, settings))).rejects.toMatchObject({
      reason: "STORE_UNAVAILABLE",
    });
  });
});

describe("a reloaded configuration", () => {
  it("takes precedence over keys and accounts of the database, and gives back those that it no longer has", async () => {
    const store = new AccountStoreInMemory();
    const { ask, mirror, ignored } = replicaOf(store);
    const { key, text } = await createKey(store, settings);
    await store.createAccount(account("research"));
    await mirror.refresh();
    mirror.setConfigured({ keys: new Set([key.id]), accounts: new Set(["research"]) });
    expect(await ask(text)).toMatch(/^CREDENTIALS_INVALID: unknown API key/);
    expect([mirror.keyIds, mirror.account("research")]).toEqual([[], undefined]);

    mirror.setConfigured({ keys: new Set(), accounts: new Set() });
    expect(mirror.keyIds).toEqual([key.id]);
    expect(mirror.account("research")).toMatchObject({ id: "research" });
    expect(await ask(text)).toBe(key.id);
    expect(ignored).toEqual([]);
  });
});
