import { isLimited, type LimitedHolder, limitedAccount, limitedKey } from "../accounts/limits/claims.ts";
import type { Model } from "../gen/dragoman/v1/model_pb.js";
import type { CandidateRoute } from "../routing/candidate.ts";
import type { RequestSize } from "../tokens/request-size.ts";
import type { TokenCount } from "../tokens/token-count.ts";
import type { Call } from "./call.ts";
import type { CallTarget } from "./call-targets.ts";

/** Request of a call, for its limits. */
interface LimitedRequest {
  readonly size: RequestSize;
  readonly route: CandidateRoute<CallTarget>;
  /** Account of the call. Empty: none. */
  readonly account: string;
  /** Counts the prompt for a model. Default: it cannot be counted. */
  readonly countPrompt?: (model: Model) => Promise<Pick<TokenCount, "high">>;
}

/**
 * Takes what a call may need of the limits and budgets of its API key and its account. Throws, or rejects with, the
 * error if the call does not fit. Returns a promise only if another process decides.
 */
export function limitCall(
  call: Call,
  { size, route, account: id, countPrompt }: LimitedRequest,
): Promise<void> | undefined {
  const { snapshot, caller } = call;
  const account = id === "" ? undefined : snapshot.directory?.account(id);
  const holders: LimitedHolder[] = [];
  if (isLimited(caller)) holders.push(limitedKey({ ...caller, id: caller.keyId }));
  if (account !== undefined && isLimited(account)) holders.push(limitedAccount(account));
  if (holders.length === 0) return undefined;
  const models: Model[] = [];
  for (const { members } of route.tiers) for (const { target } of members) if (target) models.push(target.model);
  return call.holdings.take({
    id: call.id,
    beganMs: call.startTime.getTime(),
    holders,
    onStoreLoss: account?.onStoreLoss ?? "local",
    request: size,
    models,
    prices: snapshot.prices,
    ...(countPrompt && { countPrompt }),
  });
}
