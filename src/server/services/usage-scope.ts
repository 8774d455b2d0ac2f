import type { Caller } from "../../accounts/keys.ts";
import { requireRole } from "../../accounts/role.ts";
import { GatewayError } from "../../errors.ts";
import type { CallScope } from "../../ledger/usage-reader.ts";

/**
 * Returns which calls of the ledger a caller may see: with the role viewer or admin all, else those of the accounts of
 * its key, or those that were made with the key if it has no accounts.
 *
 * Throws ROLE_NOT_ALLOWED for other callers without a key: calls without a key can be anybody's.
 */
export function scopeOf(caller: Caller, method: string): CallScope {
  const { role, keyId, accounts } = caller;
  if (role !== "caller") return { calls: "all" };
  if (keyId === "") requireRole(caller, "viewer", method);
  return accounts.length > 0 ? { calls: "of accounts", accounts } : { calls: "of key", keyId };
}

/** Throws ACCOUNT_NOT_ALLOWED if a request names an account of which the caller may see no calls. */
export function requireAccount(scope: CallScope, account: string): void {
  if (account === "" || scope.calls !== "of accounts" || scope.accounts.includes(account)) return;
  const message = "the API key cannot see the calls of this account; use one of the key's accounts";
  throw new GatewayError("ACCOUNT_NOT_ALLOWED", message, { metadata: { account_id: account } });
}
