import type { Budget } from "../../config/account.ts";
import type { GatewayError } from "../../errors.ts";
import type { Usage } from "../../gen/dragoman/v1/usage_pb.js";
import type { Warning } from "../../gen/dragoman/v1/warning_pb.js";
import type { NamedClaim } from "./claims.ts";
import { type Header, limitHeaders } from "./limit-headers.ts";
import type { Decision } from "./limit-store.ts";
import { formatDollars } from "./refusal.ts";

/** Words for CallRecord.notes. */
export type LimitNote = "LIMIT_SHADOW" | "BUDGET_SHADOW" | "STORE_LOSS";

/** How a call ended. */
export interface CallEnd {
  /** Undefined: no provider can have counted tokens. */
  readonly usage: Usage | undefined;
  /** Tokens of all attempts. `usage` has only those of the response, if the call succeeded. */
  readonly tokens: number;
  /** Whether a provider got a request. */
  readonly wasSent: boolean;
}

interface Options {
  /** Why the call is not let in. Undefined: it is. */
  readonly error: GatewayError | undefined;
  /** Whether a shadow budget would have rejected the call for its unknown price. */
  readonly hasUnpricedShadow: boolean;
  /** Replaces what the call holds by what it used, by claim. */
  readonly settle: (used: readonly number[]) => void;
  /** Remembers the output of a response. */
  readonly noteOutput: (tokens: number) => void;
}

const none: readonly LimitNote[] = [];

const nothing: Decision = { refusedBy: undefined, waitMs: undefined, left: [], shadowed: [], shared: true };

/** What a call holds of its limits and budgets, until it settles. */
export class LimitedCall {
  readonly #claims: readonly NamedClaim[];
  readonly #decision: Decision;
  readonly #options: Options;
  #headers: readonly Header[] | undefined;

  constructor(claims: readonly NamedClaim[], decision: Decision, options: Options) {
    this.#claims = claims;
    this.#decision = decision;
    this.#options = options;
  }

  /** A call that is not let in, whatever is left. */
  static refused(error: GatewayError): LimitedCall {
    const ignore = () => {};
    return new LimitedCall([], nothing, { error, hasUnpricedShadow: false, settle: ignore, noteOutput: ignore });
  }

  /** Why the call is not let in. Undefined: it is. */
  get error(): GatewayError | undefined {
    return this.#options.error;
  }

  /** Headers that tell what is left. */
  get headers(): readonly Header[] {
    this.#headers ??= limitHeaders(this.#claims, this.#decision.left);
    return this.#headers;
  }

  /** What the record of the call says about its limits. */
  get notes(): readonly LimitNote[] {
    const { shadowed, shared } = this.#decision;
    if (shared && shadowed.length === 0 && !this.#options.hasUnpricedShadow) return none;
    const notes = new Set<LimitNote>(shared ? [] : ["STORE_LOSS"]);
    if (this.#options.hasUnpricedShadow) notes.add("BUDGET_SHADOW");
    for (const index of shadowed) notes.add(this.#claims[index]?.budget ? "BUDGET_SHADOW" : "LIMIT_SHADOW");
    return [...notes];
  }

  /** Warnings BUDGET_NEAR. */
  get warnings(): readonly Warning[] {
    const warnings: Warning[] = [];
    for (const [index, claim] of this.#claims.entries()) {
      const warning = claim.budget && nearBudget(claim, claim.budget, this.#decision.left[index]?.remaining);
      if (warning !== undefined) warnings.push(warning);
    }
    return warnings;
  }

  /** Replaces what the call holds by what it used. Call it once, with any outcome. */
  settle(end: CallEnd): void {
    const { usage, wasSent } = end;
    const { error, settle, noteOutput } = this.#options;
    if (error !== undefined || this.#claims.length === 0) return;
    if (usage !== undefined) noteOutput(usage.outputTokens);
    settle(this.#claims.map((claim) => (wasSent ? usedOf(claim, end) : 0)));
  }
}

function usedOf({ kind, hold, likely = hold }: NamedClaim, { usage, tokens }: CallEnd): number {
  switch (kind) {
    case "requests":
    case "calls":
      return hold;
    case "tokens":
      return tokens;
    case "budget":
      if (usage === undefined) return 0;
      // The price was known, but not that of everything that the call used: the budget counts what it probably cost.
      return usage.cost === undefined ? likely : Number(usage.cost.totalNanos);
    default:
      return kind satisfies never;
  }
}

function nearBudget(claim: NamedClaim, budget: Budget, remaining = claim.limit): Warning | undefined {
  const { owner, limit, hold, period } = claim;
  if (budget.shadow) return undefined;
  // What this call holds is not spent yet.
  const spent = Math.max(0, limit - remaining - hold);
  if (spent < budget.warnAt * limit) return undefined;
  const until = new Date(period?.endMs ?? 0).toISOString();
  const message = `${owner.name} has used ${formatDollars(spent)} of its budget of ${formatDollars(limit)} until ${until}`;
  return { $typeName: "dragoman.v1.Warning", reason: "BUDGET_NEAR", field: "", message };
}
