import type { AccountSettings, KeySettings } from "../config/account.ts";
import type { Config } from "../config/config.ts";
import { GatewayError } from "../errors.ts";
import type { StoredAccount, StoredKey } from "./account-store.ts";
import { AllowedModels } from "./allowed-models.ts";
import { type Authenticate, type Caller, createAuthenticator } from "./keys.ts";
import { mergeSorted } from "./merge-sorted.ts";
import type { StoreMirror } from "./store-mirror.ts";

/** The keys and accounts of the configuration and of the database. Those of the configuration take precedence. */
export class Directory {
  readonly authenticate: Authenticate;
  readonly #keys: ReadonlyMap<string, KeySettings>;
  readonly #accounts: ReadonlyMap<string, AccountSettings>;
  readonly #mirror: StoreMirror | undefined;

  constructor({ authentication, accounts }: Pick<Config, "authentication" | "accounts">, mirror?: StoreMirror) {
    this.authenticate = createAuthenticator(authentication, mirror);
    this.#keys = new Map(authentication.keys.map((key) => [key.id, key]));
    this.#accounts = new Map(accounts.map((account) => [account.id, account]));
    this.#mirror = mirror;
  }

  /** Returns the settings of an account. Undefined: an account without settings, which can be used too. */
  account(id: string): AccountSettings | StoredAccount | undefined {
    return this.#accounts.get(id) ?? this.#mirror?.account(id);
  }

  /** Whether the configuration has a key. Only an edit of the configuration changes it. */
  isConfiguredKey(id: string): boolean {
    return this.#keys.has(id);
  }

  /** Whether the configuration has an account. Only an edit of the configuration changes it. */
  isConfiguredAccount(id: string): boolean {
    return this.#accounts.has(id);
  }

  key(id: string): KeySettings | StoredKey | undefined {
    return this.#keys.get(id) ?? this.#mirror?.key(id);
  }

  /** Returns the ids of all keys, in order. */
  keyIds(): readonly string[] {
    return mergeSorted([...this.#keys.keys()].sort(), this.#mirror?.keyIds ?? []);
  }

  /** Returns all accounts, ordered by id. */
  accounts(): readonly (AccountSettings | StoredAccount)[] {
    return [...this.#accounts.values(), ...(this.#mirror?.accounts() ?? [])].sort(byId);
  }

  /**
   * Returns the models that a caller may request for an account. Throws ACCOUNT_NOT_ALLOWED if the account expired, or if
   * its settings cannot be read: it would have no limits.
   */
  allowedModels(caller: Pick<Caller, "models">, accountId: string): AllowedModels {
    const account = accountId === "" ? undefined : this.account(accountId);
    if (account === undefined && this.#mirror?.isUnreadable(accountId)) {
      const message = `the settings of the account ${accountId} cannot be read; ask an admin to use UpdateAccount`;
      throw new GatewayError("ACCOUNT_NOT_ALLOWED", message, { metadata: { account_id: accountId } });
    }
    const { expiresMs = Number.POSITIVE_INFINITY } = account ?? {};
    if (Date.now() >= expiresMs) {
      const time = new Date(expiresMs).toISOString();
      throw new GatewayError("ACCOUNT_NOT_ALLOWED", `the account ${accountId} expired at ${time}; use another one`, {
        metadata: { account_id: accountId },
      });
    }
    return new AllowedModels(caller, account);
  }
}

function byId(a: { readonly id: string }, b: { readonly id: string }): number {
  return a.id < b.id ? -1 : 1;
}
