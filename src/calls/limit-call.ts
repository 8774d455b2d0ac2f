import { isLimited, type LimitedHolder, limitedAccount, limitedKey } from "../accounts/limits/claims.ts";
import { tokenCounter } from "../tokens/counter.ts";
import type { Call } from "./call.ts";
import type { PreparedCall } from "./plan-call.ts";

/**
 * Takes what a call may need of the limits and budgets of its API key and its account. Throws, or rejects with, the
 * error if the call does not fit. Returns a promise only if another process decides.
 */
export function limitCall(call: Call, { chat, route, account: id }: PreparedCall): Promise<void> | undefined {
  const { snapshot, caller } = call;
  const account = id === "" ? undefined : snapshot.directory?.account(id);
  const holders: LimitedHolder[] = [];
  if (isLimited(caller)) holders.push(limitedKey({ ...caller, id: caller.keyId }));
  if (account !== undefined && isLimited(account)) holders.push(limitedAccount(account));
  if (holders.length === 0) return undefined;
  return call.holdings.take({
    id: call.id,
    beganMs: call.startTime.getTime(),
    holders,
    onStoreLoss: account?.onStoreLoss ?? "local",
    chat,
    models: route.tiers.flatMap(({ members }) => members.flatMap(({ target }) => target?.model ?? [])),
    prices: snapshot.prices,
    countPrompt: (model) => {
      const context = { holder: call.holder, signal: call.signal, limits: call.counting };
      return tokenCounter(model, context, snapshot.adapters.get(model.provider)?.dialect).count(chat);
    },
  });
}
