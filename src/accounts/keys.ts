import type { KeySettings } from "../config/account.ts";
import type { ApiKey, Config } from "../config/config.ts";
import { GatewayError, invalidRequest } from "../errors.ts";
import type { StoredKey } from "./account-store.ts";
import { hasKeyForm, sha256Of } from "./key-text.ts";
import { proxyHeaderOf, proxyHeaders, type Role, type RoleHolder } from "./role.ts";

/** Authenticated caller, with the models, limits and budgets of its API key. */
export interface Caller extends RoleHolder, Pick<KeySettings, "models" | "limits" | "budgets"> {
  /** Id of the API key; empty without authentication. */
  readonly keyId: string;
  /** Accounts that the key may use. Empty: any account. */
  readonly accounts: readonly string[];
  /** Account of calls that name none. Undefined: the only account in `accounts`, if there is just one. */
  readonly defaultAccount: string | undefined;
  /** Whether each call must name its account. */
  readonly requireAccount: boolean;
}

/**
 * Finds the caller of a request by its headers. Throws, or rejects with, CREDENTIALS_MISSING, CREDENTIALS_INVALID or
 * STORE_UNAVAILABLE. Returns a promise only if it must read the keys from outside the process.
 */
export type Authenticate = (headers: { get(name: string): string | null }) => Caller | Promise<Caller>;

/** Keys of the database, as far as authentication needs them. */
export interface KeyStore {
  /** Returns the key with a secret, by the SHA-256 of the whole key. */
  keyOf(sha256: string): StoredKey | undefined;
  /** Reads new keys. Rejects with STORE_UNAVAILABLE. */
  refreshSparingly(): Promise<void>;
}

/**
 * Creates the function that authenticates callers by `x-api-key` or `authorization: Bearer`. The function throws
 * CREDENTIALS_MISSING without a key, and CREDENTIALS_INVALID for a key that is unknown, expired or revoked, or for two
 * different keys. If no key is required, it ignores the key that the caller sends.
 *
 * A key is found by one look-up of its SHA-256. The time of the look-up tells nothing about other keys: who guesses
 * cannot choose the digits of a hash.
 *
 * With `store`, the function looks for a key of the form that Dragoman creates in the database too, and then returns a
 * promise if the process does not know the key yet. If the database does not respond, the promise rejects with
 * STORE_UNAVAILABLE: the key may be valid.
 *
 * In mode `loopback` every caller is admin, except those behind a proxy: it may have callers on other machines.
 */
export function createAuthenticator(
  authentication: Config["authentication"],
): (...headers: Parameters<Authenticate>) => Caller;
export function createAuthenticator(
  authentication: Config["authentication"],
  store: KeyStore | undefined,
): Authenticate;
export function createAuthenticator(
  { mode, keys, requireAccount }: Config["authentication"],
  store?: KeyStore,
): Authenticate {
  const anonymous = (role: Role, roleAdvice: string): Caller =>
    Object.freeze({ keyId: "", accounts: [], defaultAccount: undefined, requireAccount, role, roleAdvice });
  if (mode === "off") {
    const nobody = anonymous("caller", "without authentication nobody has another one; configure authentication.keys");
    return () => nobody;
  }
  if (mode === "loopback") {
    const admin = anonymous("admin", "");
    const proxied = new Map(proxyHeaders.map((name) => [name, anonymous("caller", proxyAdvice(name))]));
    return (headers) => {
      const header = proxyHeaderOf(headers);
      return (header && proxied.get(header)) ?? admin;
    };
  }
  const configured = new Map(keys.map((key) => [key.sha256.toString("hex"), key]));
  const callers = new WeakMap<KeySettings, Caller>();
  const callerOf = (key: ApiKey | StoredKey, sha256: string): Caller => {
    requireValid(key, sha256, Date.now());
    let caller = callers.get(key);
    if (caller === undefined) {
      const roleAdvice = "createdMs" in key ? storedKeyAdvice : keyAdvice;
      const { id: keyId, accounts, defaultAccount, role, models, limits, budgets } = key;
      caller = Object.freeze({
        ...{ keyId, accounts, defaultAccount, requireAccount, role, roleAdvice },
        ...{ models, limits, budgets },
      });
      callers.set(key, caller);
    }
    return caller;
  };
  return (headers) => {
    const text = readKey(headers);
    const sha256 = sha256Of(text);
    const known = configured.get(sha256) ?? store?.keyOf(sha256);
    if (known !== undefined) return callerOf(known, sha256);
    if (store === undefined || !hasKeyForm(text)) throw unknownKey();
    return store.refreshSparingly().then(() => {
      const found = store.keyOf(sha256);
      if (found === undefined) throw unknownKey();
      return callerOf(found, sha256);
    });
  };
}

/** Throws CREDENTIALS_INVALID if a key was revoked, or the key or its secret has expired. */
function requireValid(key: ApiKey | StoredKey, sha256: string, nowMs: number): void {
  const { expiresMs = Number.POSITIVE_INFINITY } = key;
  if (nowMs >= expiresMs) throw invalidKey(`the API key expired at ${timeOf(expiresMs)}; send another one`);
  if (!("createdMs" in key)) return;
  if (key.revokedMs !== undefined) {
    throw invalidKey(`the API key was revoked at ${timeOf(key.revokedMs)}; send another one`);
  }
  const formerMs = key.secrets.find((secret) => secret.sha256 === sha256)?.expiresMs ?? Number.POSITIVE_INFINITY;
  if (nowMs >= formerMs) {
    throw invalidKey(`the API key was rotated, and this secret expired at ${timeOf(formerMs)}; send the new one`);
  }
}

function unknownKey(): GatewayError {
  return invalidKey("unknown API key; send a key that is configured for this service");
}

function invalidKey(message: string): GatewayError {
  return new GatewayError("CREDENTIALS_INVALID", message);
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}

const keyAdvice = "use another API key, or set `role` of this one in authentication.keys";
const storedKeyAdvice = "use another API key, or ask an admin to create one with this role";

function proxyAdvice(header: string): string {
  return `a proxy sent the header ${header}; call Dragoman directly, or configure authentication.keys`;
}

/**
 * Returns the account that a call is recorded under: the one in the header `x-selected-account-id` or in
 * `chat.account_id`, else the key's default account, else the key's only account, else none (empty). An empty header
 * counts as absent, as in the Scale EGP deployments API.
 *
 * Throws ACCOUNT_NOT_ALLOWED if the key lists accounts and this one is not among them. Throws INVALID_REQUEST if header
 * and body differ, or if neither names an account although one is required: by the configuration, or because the key
 * has several accounts and no default.
 */
export function selectAccount(caller: Caller, headerAccount: string | null, bodyAccount: string): string {
  if (headerAccount && bodyAccount && headerAccount !== bodyAccount) {
    const description = "differs from the header x-selected-account-id; send one of them, or the same value in both";
    throw invalidRequest([{ field: ["account_id"], description }]);
  }
  const account = headerAccount || bodyAccount;
  if (account === "") return defaultAccount(caller);
  if (caller.accounts.length > 0 && !caller.accounts.includes(account)) {
    throw new GatewayError(
      "ACCOUNT_NOT_ALLOWED",
      "the API key cannot use this account; use one of the key's accounts",
      {
        metadata: { account_id: account },
      },
    );
  }
  return account;
}

/**
 * Returns the account whose deployments a lookup of models shows. Unlike a chat call, a lookup needs no account and is
 * not recorded under one. Without an account, it shows only deployments that belong to no account.
 */
export function lookupAccount(caller: Caller, headerAccount: string | null): string {
  if (headerAccount) return selectAccount(caller, headerAccount, "");
  const [only = "", ...others] = caller.accounts;
  return caller.defaultAccount ?? (others.length === 0 ? only : "");
}

function defaultAccount({ accounts, defaultAccount: configured, requireAccount }: Caller): string {
  const [first = "", ...others] = accounts;
  if (!requireAccount && configured !== undefined) return configured;
  if (!requireAccount && others.length === 0) return first;
  const why = requireAccount ? "is required by this service" : "is required, because the key has several accounts";
  throw invalidRequest([
    { field: ["account_id"], description: `${why}; set it, or send the header x-selected-account-id` },
  ]);
}

function readKey(headers: Parameters<Authenticate>[0]): string {
  const plain = headers.get("x-api-key")?.trim() ?? "";
  // RFC 9110, section 11.1: the scheme's name is case-insensitive.
  const bearer = /^bearer +(\S+)$/i.exec(headers.get("authorization")?.trim() ?? "")?.[1] ?? "";
  if (plain !== "" && bearer !== "" && plain !== bearer) {
    throw new GatewayError(
      "CREDENTIALS_INVALID",
      "x-api-key and authorization contain different keys; send one of them",
    );
  }
  const key = plain || bearer;
  if (key === "") {
    throw new GatewayError(
      "CREDENTIALS_MISSING",
      "this service requires an API key; send it as `x-api-key: <key>` or `authorization: Bearer <key>`",
    );
  }
  return key;
}
