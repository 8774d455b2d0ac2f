import type { StoreLossPolicy } from "../../config/account.ts";
import { GatewayError } from "../../errors.ts";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import type { PriceList } from "../../prices/price-list.ts";
import type { RequestSize } from "../../tokens/request-size.ts";
import type { TokenCount } from "../../tokens/token-count.ts";
import { type CallClaims, claimsOf, type LimitedHolder, type NamedClaim, needsEstimate } from "./claims.ts";
import type { Decision, Left, LimitStore } from "./limit-store.ts";
import { LimitedCall } from "./limited-call.ts";
import { judgeBudget } from "./memory-store.ts";
import { needOf } from "./need.ts";
import { refusal, unpricedRefusal } from "./refusal.ts";
import { UsualOutput } from "./usual-output.ts";

/** A call that limits or budgets apply to. */
export interface CallToLimit {
  readonly id: string;
  /** When the call began, in ms since 1970. */
  readonly beganMs: number;
  /** Who is limited: the API key, the account, or both. */
  readonly holders: readonly LimitedHolder[];
  /** What happens if the store that replicas share does not respond. */
  readonly onStoreLoss: StoreLossPolicy;
  readonly request: RequestSize;
  /** Models that may serve the call. */
  readonly models: readonly Model[];
  /** Undefined: all prices are unknown. */
  readonly prices: PriceList | undefined;
  /** Counts the prompt for a model. Rejects if the call ends meanwhile. Default: it cannot be counted. */
  readonly countPrompt?: (model: Model) => Promise<Pick<TokenCount, "high">>;
}

/** What is left of a limit or a budget. */
export interface LeftOfClaim {
  readonly claim: NamedClaim;
  readonly left: Left;
}

/** Delay in ms after which a call that needs the shared store should try again. */
const retryMs = 1000;

/** Lets calls in as far as limits and budgets allow it. */
export class CallLimits {
  readonly #store: LimitStore;
  readonly #outputs = new UsualOutput();

  constructor(store: LimitStore) {
    this.#store = store;
  }

  /**
   * Takes what a call may need of its limits and budgets. If the call is not let in, the result has the error. The
   * result is a promise only if the store is not in this process.
   */
  take(call: CallToLimit): LimitedCall | Promise<LimitedCall> {
    const claimed = this.#claims(call);
    const refusing = claimed.unpriced.find(({ budget }) => !budget.shadow);
    if (refusing !== undefined) return LimitedCall.refused(unpricedRefusal(refusing));
    const decided = (decision: Decision) => this.#decided(call, claimed, decision);
    const decision = this.#store.reserve(call.id, claimed.claims, call.onStoreLoss);
    return decision instanceof Promise ? decision.then(decided) : decided(decision);
  }

  #claims(
    { request, models, prices, holders, beganMs }: CallToLimit,
    counted?: ReadonlyMap<string, number>,
  ): CallClaims {
    const usualOutput = this.#outputs.most(holders[0]?.holder ?? "", request.model);
    const need = (hasBudget: boolean) => needOf({ request, models, prices, usualOutput, counted, hasBudget });
    return claimsOf(holders, need, beganMs);
  }

  /**
   * If only the upper bound of the prompt's tokens does not fit a budget, counts them: the bound is far from the count of
   * most texts.
   */
  #decided(call: CallToLimit, claimed: CallClaims, decision: Decision): LimitedCall | Promise<LimitedCall> {
    const index = decision.refusedBy ?? -1;
    const [claim, left] = [claimed.claims[index], decision.left[index]];
    if (claim?.likely === undefined || left === undefined || claim.likely === claim.hold) {
      return this.#limited(call, claimed, decision);
    }
    const likely = { ...claim, hold: claim.likely };
    const { remaining, held } = left;
    const verdict = judgeBudget(likely, { spent: claim.limit - remaining - held, held }, Date.now());
    if (verdict.fits && call.countPrompt !== undefined) return this.#takeCounted(call, call.countPrompt);
    if (verdict.fits) return this.#limited(call, claimed, decision);
    const claims = claimed.claims.with(index, likely);
    return this.#limited(call, { ...claimed, claims }, { ...decision, waitMs: verdict.waitMs });
  }

  async #takeCounted(call: CallToLimit, countPrompt: NonNullable<CallToLimit["countPrompt"]>): Promise<LimitedCall> {
    const counted = new Map<string, number>();
    for (const model of new Map(call.models.map((one) => [one.id, one])).values()) {
      counted.set(model.id, (await countPrompt(model)).high);
    }
    const claimed = this.#claims(call, counted);
    return this.#limited(call, claimed, await this.#store.reserve(call.id, claimed.claims, call.onStoreLoss));
  }

  /** Returns what is left of each limit and budget of a holder. */
  async leftOf(owner: LimitedHolder): Promise<readonly LeftOfClaim[]> {
    const nothing = { tokens: 0, nanos: 0, likelyNanos: 0, unpriced: "", isBound: true };
    const { claims } = claimsOf([owner], () => nothing, Date.now());
    const left = await this.#store.left(claims);
    return claims.flatMap((claim, index) => {
      const rest = left[index];
      return rest === undefined ? [] : [{ claim, left: rest }];
    });
  }

  #limited({ id, onStoreLoss, request, holders }: CallToLimit, claimed: CallClaims, decision: Decision): LimitedCall {
    const { claims, unpriced } = claimed;
    const { refusedBy, shared } = decision;
    const refusing = refusedBy === undefined ? undefined : claims[refusedBy];
    let error: GatewayError | undefined;
    if (!shared && onStoreLoss === "deny") error = storeLost();
    else if (refusing !== undefined) error = refusal(refusing, decision, refusedBy ?? 0);
    return new LimitedCall(claims, decision, {
      error,
      hasUnpricedShadow: unpriced.length > 0,
      settle: (used) => this.#store.settle(id, used),
      noteOutput: (tokens) => {
        if (!holders.some(needsEstimate)) return;
        this.#outputs.note(holders[0]?.holder ?? "", request.model, Math.ceil(tokens / request.choices));
      },
    });
  }
}

function storeLost(): GatewayError {
  const message = "the account requires the shared limits, and their store does not respond; retry later";
  return new GatewayError("STORE_UNAVAILABLE", message, { retryAfterMs: retryMs });
}
