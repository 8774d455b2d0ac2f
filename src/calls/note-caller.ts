import { selectAccount } from "../accounts/keys.ts";
import type { Call } from "./call.ts";

/** Fields of a request that say who calls, and what for. They are not validated yet. */
interface CallerFields {
  readonly user: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly model: string;
  readonly accountId: string;
}

/** Maximum length of recorded names in UTF-16 units: the proto allows 256 characters, each at most two units. */
const maxNameLength = 512;

/** Maximum number of recorded labels: the proto allows as many. */
const mostLabels = 16;

/**
 * Adds user, labels, model and account to the record of a call. The record is written to the log, so that they are
 * truncated. Returns the account; empty if the call has none. Throws ACCOUNT_NOT_ALLOWED if the caller may not use it.
 *
 * @param stream whether the caller requested a stream
 */
export function noteCaller(call: Call, { user, labels, model, accountId }: CallerFields, stream: boolean): string {
  call.note({ user: cut(user), labels: cutLabels(labels), model: cut(model), stream });
  const account = selectAccount(call.caller, call.source.requestHeader.get("x-selected-account-id"), accountId);
  call.note({ accountId: cut(account) });
  return account;
}

function cut(name: string): string {
  return name.slice(0, maxNameLength);
}

/** Truncates labels to the number and the lengths that the proto allows. */
function cutLabels(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const entries: [string, string][] = [];
  for (const name in labels) {
    if (entries.length === mostLabels) break;
    entries.push([cut(name), cut(labels[name] ?? "")]);
  }
  return Object.fromEntries(entries);
}
