import type { StoreLossPolicy } from "../../config/account.ts";
import { GatewayError } from "../../errors.ts";
import type { ChatRequest } from "../../gen/dragoman/v1/chat_request_pb.js";
import type { Model } from "../../gen/dragoman/v1/model_pb.js";
import type { PriceList } from "../../prices/price-list.ts";
import { type CallClaims, claimsOf, type LimitedHolder, type NamedClaim, needsEstimate } from "./claims.ts";
import type { Decision, Left, LimitStore } from "./limit-store.ts";
import { LimitedCall } from "./limited-call.ts";
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
  readonly chat: ChatRequest;
  /** Models that may serve the call. */
  readonly models: readonly Model[];
  /** Undefined: all prices are unknown. */
  readonly prices: PriceList | undefined;
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
    const { chat, models, prices, holders } = call;
    const holder = holders[0]?.holder ?? "";
    const choices = chat.parameters?.n ?? 1;
    const need = (hasBudget: boolean) =>
      needOf({ chat, models, prices, usualOutput: this.#outputs.most(holder, chat.model), hasBudget });
    const claimed = claimsOf(holders, need, call.beganMs);
    const refusing = claimed.unpriced.find(({ budget }) => !budget.shadow);
    if (refusing !== undefined) return LimitedCall.refused(unpricedRefusal(refusing));
    const usesEstimate = holders.some(needsEstimate);
    const noteOutput = (tokens: number) => {
      if (usesEstimate) this.#outputs.note(holder, chat.model, Math.ceil(tokens / choices));
    };
    const decided = (decision: Decision) => this.#limited(call, claimed, decision, noteOutput);
    const decision = this.#store.reserve(call.id, claimed.claims, call.onStoreLoss);
    return decision instanceof Promise ? decision.then(decided) : decided(decision);
  }

  /** Returns what is left of each limit and budget of a holder. */
  async leftOf(owner: LimitedHolder): Promise<readonly LeftOfClaim[]> {
    const nothing = { tokens: 0, nanos: 0, unpriced: "", isBound: true };
    const { claims } = claimsOf([owner], () => nothing, Date.now());
    const left = await this.#store.left(claims);
    return claims.flatMap((claim, index) => {
      const rest = left[index];
      return rest === undefined ? [] : [{ claim, left: rest }];
    });
  }

  #limited(
    { id, onStoreLoss }: CallToLimit,
    { claims, unpriced }: CallClaims,
    decision: Decision,
    noteOutput: (tokens: number) => void,
  ): LimitedCall {
    const { refusedBy, shared } = decision;
    const refusing = refusedBy === undefined ? undefined : claims[refusedBy];
    let error: GatewayError | undefined;
    if (!shared && onStoreLoss === "deny") error = storeLost();
    else if (refusing !== undefined) error = refusal(refusing, decision, refusedBy ?? 0);
    return new LimitedCall(claims, decision, {
      error,
      hasUnpricedShadow: unpriced.length > 0,
      settle: (used) => this.#store.settle(id, used),
      noteOutput,
    });
  }
}

function storeLost(): GatewayError {
  const message = "the account requires the shared limits, and their store does not respond; retry later";
  return new GatewayError("STORE_UNAVAILABLE", message, { retryAfterMs: retryMs });
}
