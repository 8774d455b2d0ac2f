import { isLimited, type LimitedHolder, limitedAccount, limitedKey } from "../accounts/limits/claims.ts";
import type { LimitedCall } from "../accounts/limits/limited-call.ts";
import type { Call } from "./call.ts";
import type { PreparedCall } from "./plan-call.ts";

/**
 * Takes what a call may need of the limits and budgets of its API key and its account. Throws, or rejects with, the
 * error if the call does not fit. Returns a promise only if another process decides.
 */
export function limitCall(call: Call, { chat, route }: PreparedCall): Promise<void> | undefined {
  const { snapshot, accountId, caller } = call;
  const account = accountId === "" ? undefined : snapshot.directory?.account(accountId);
  const holders: LimitedHolder[] = [];
  const { keyId: id, limits, budgets } = caller;
  if (isLimited(caller)) holders.push(limitedKey({ id, limits, budgets }));
  if (account !== undefined && isLimited(account)) holders.push(limitedAccount(account));
  if (holders.length === 0) return undefined;
  const models = route.tiers.flatMap(({ members }) => members.flatMap(({ target }) => target?.model ?? []));
  const limited = call.limits.take({
    id: call.id,
    holders,
    onStoreLoss: account?.onStoreLoss ?? "local",
    chat,
    models,
    prices: snapshot.prices,
  });
  return limited instanceof Promise ? limited.then((decided) => enter(call, decided)) : enter(call, limited);
}

function enter(call: Call, limited: LimitedCall): undefined {
  call.limitBy(limited);
  if (limited.error !== undefined) throw limited.error;
  return undefined;
}
