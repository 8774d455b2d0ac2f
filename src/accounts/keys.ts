import { hash, timingSafeEqual } from "node:crypto";
import type { Config } from "../config/config.ts";
import { GatewayError, invalidRequest } from "../errors.ts";

/** Who makes a call. */
export interface Caller {
  /** The id of the key in the configuration; empty without authentication. */
  readonly keyId: string;
  /** What the key may record under. Empty: any account. */
  readonly accounts: readonly string[];
  /** The account of calls that name none. Undefined: the only one in `accounts`. */
  readonly defaultAccount: string | undefined;
  /** Whether each call must name its account. */
  readonly requireAccount: boolean;
}

/**
 * Finds the caller of a request by its headers. Throws, or rejects with, CREDENTIALS_MISSING or CREDENTIALS_INVALID. A
 * promise only where the keys are not in memory.
 */
export type Authenticate = (headers: { get(name: string): string | null }) => Caller | Promise<Caller>;

/**
 * Makes the function that finds out who calls, from `x-api-key` or `authorization: Bearer`. It throws
 * CREDENTIALS_MISSING without a key, and CREDENTIALS_INVALID for a key that is not listed or two that differ. Where no
 * key is required, one that is sent is ignored.
 */
export function createAuthenticator({
  mode,
  keys,
  requireAccount,
}: Config["authentication"]): (...headers: Parameters<Authenticate>) => Caller {
  const anonymous: Caller = Object.freeze({ keyId: "", accounts: [], defaultAccount: undefined, requireAccount });
  if (mode !== "keys") return () => anonymous;
  const known = keys.map(({ id, sha256, accounts, defaultAccount }) => ({
    sha256,
    caller: Object.freeze({ keyId: id, accounts, defaultAccount, requireAccount }),
  }));
  return (headers) => {
    const digest = hash("sha256", readKey(headers), "buffer");
    let caller: Caller | undefined;
    // Every key is compared, so that the time does not tell which one was nearly right.
    for (const entry of known) {
      if (timingSafeEqual(entry.sha256, digest)) caller = entry.caller;
    }
    if (caller === undefined) throw new GatewayError("CREDENTIALS_INVALID", "the key is not known to this service");
    return caller;
  };
}

/**
 * The account that a call is recorded under: the one that the header `x-selected-account-id` or `chat.account_id` names,
 * else the key's default, else the key's only one, else none (empty). An empty header is as if it were not there (seed
 * 003). Throws ACCOUNT_NOT_ALLOWED for an account that the key does not list, and INVALID_REQUEST when the two differ,
 * or when none is named although the key has several without a default or the service wants one from each call (seeds
 * 000 and 001 announce that).
 */
export function selectAccount(caller: Caller, headerAccount: string | null, bodyAccount: string): string {
  if (headerAccount && bodyAccount && headerAccount !== bodyAccount) {
    const description = "differs from the header x-selected-account-id; send one of them, or the same in both";
    throw invalidRequest([{ field: ["account_id"], description }]);
  }
  const account = headerAccount || bodyAccount;
  if (account === "") return defaultAccount(caller);
  if (caller.accounts.length > 0 && !caller.accounts.includes(account)) {
    throw new GatewayError("ACCOUNT_NOT_ALLOWED", "this key may not record under the account that the call names", {
      metadata: { account_id: account },
    });
  }
  return account;
}

/**
 * The account whose deployments a lookup shows. Nothing is recorded, so that unlike a call it needs none: without one,
 * those of no account are shown.
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
  const why = requireAccount ? "is required by this service" : "is required, since the key has several accounts";
  throw invalidRequest([
    { field: ["account_id"], description: `${why}; name one here or in the header x-selected-account-id` },
  ]);
}

function readKey(headers: Parameters<Authenticate>[0]): string {
  const plain = headers.get("x-api-key")?.trim() ?? "";
  // RFC 9110, section 11.1: the scheme's name is case-insensitive.
  const bearer = /^bearer +(\S+)$/i.exec(headers.get("authorization")?.trim() ?? "")?.[1] ?? "";
  if (plain !== "" && bearer !== "" && plain !== bearer) {
    throw new GatewayError("CREDENTIALS_INVALID", "x-api-key and authorization hold different keys; send one of them");
  }
  const key = plain || bearer;
  if (key === "") {
    throw new GatewayError(
      "CREDENTIALS_MISSING",
      "this service needs a key; send it as `x-api-key: <key>` or `authorization: Bearer <key>`",
    );
  }
  return key;
}
