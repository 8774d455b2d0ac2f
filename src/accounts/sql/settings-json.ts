import type { AccountSettings } from "../../config/account.ts";
import { describeAccount, describeKey } from "../../config/accounts.ts";
import type { NewKeySettings } from "../manage-keys.ts";

// The column `settings` has the layout of an entry of the configuration, which has one form for each value and exact
// decimal amounts.

/** Returns the column `settings` of a key. */
export function keyJson({ displayName, ...settings }: NewKeySettings): string {
  return JSON.stringify({ display_name: displayName || undefined, ...describeKey(settings) });
}

/** Returns the column `settings` of an account. */
export function accountJson(settings: AccountSettings): string {
  return JSON.stringify(describeAccount(settings));
}
