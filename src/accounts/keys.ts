import { hash, timingSafeEqual } from "node:crypto";
import type { Config } from "../config/config.ts";
import { GatewayError, invalidRequest } from "../errors.ts";
import { proxyHeaderOf, proxyHeaders, type Role, type RoleHolder } from "./role.ts";

/** Authenticated caller. */
export interface Caller extends RoleHolder {
  /** Id of the API key in the configuration; empty without authentication. */
  readonly keyId: string;
  /** Accounts that the key may use. Empty: any account. */
  readonly accounts: readonly string[];
  /** Account of calls that name none. Undefined: the only account in `accounts`, if there is just one. */
  readonly defaultAccount: string | undefined;
  /** Whether each call must name its account. */
  readonly requireAccount: boolean;
}

/**
 * Finds the caller of a request by its headers. Throws, or rejects with, CREDENTIALS_MISSING or CREDENTIALS_INVALID.
 * Returns a promise only if it must read the keys from outside the process.
 */
export type Authenticate = (headers: { get(name: string): string | null }) => Caller | Promise<Caller>;

/**
 * Creates the function that authenticates callers by `x-api-key` or `authorization: Bearer`. The function throws
 * CREDENTIALS_MISSING without a key, and CREDENTIALS_INVALID for an unknown key or for two different keys. If no key is
 * required, it ignores the key that the caller sends.
 *
 * In mode `loopback` every caller is admin, except those behind a proxy: it may have callers on other machines.
 */
export function createAuthenticator({
  mode,
  keys,
  requireAccount,
}: Config["authentication"]): (...headers: Parameters<Authenticate>) => Caller {
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
  const known = keys.map(({ id, sha256, accounts, defaultAccount, role }) => ({
    sha256,
    caller: Object.freeze({ keyId: id, accounts, defaultAccount, requireAccount, role, roleAdvice: keyAdvice }),
  }));
  return (headers) => {
    const digest = hash("sha256", readKey(headers), "buffer");
    let caller: Caller | undefined;
    // Compare every key to prevent timing attacks.
    for (const entry of known) {
      if (timingSafeEqual(entry.sha256, digest)) caller = entry.caller;
    }
    if (caller === undefined)
      throw new GatewayError("CREDENTIALS_INVALID", "unknown API key; send a key that is configured for this service");
    return caller;
  };
}

const keyAdvice = "use another API key, or set `role` of this one in authentication.keys";

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
