import { type Attempt, AttemptOutcome } from "../../gen/dragoman/v1/attempt_pb.js";
import type { Usage } from "../../gen/dragoman/v1/usage_pb.js";
import type { CallObserver } from "../../ledger/call-observer.ts";
import type { CallRecord } from "../../ledger/record.ts";
import { accountDefinitions, definitions } from "./definitions.ts";
import { type LabelNames, otherName } from "./label-names.ts";
import { Counter, type Family, Histogram, readWhenAsked } from "./metrics.ts";

/** Metrics of calls, and the observer that counts. */
export interface CallMetrics {
  readonly observer: CallObserver;
  readonly families: readonly Family[];
}

/** Words of the label `outcome` of attempts. */
export const attemptOutcomes = {
  [AttemptOutcome.UNSPECIFIED]: otherName,
  [AttemptOutcome.ANSWERED]: "answered",
  [AttemptOutcome.FAILED]: "failed",
  [AttemptOutcome.ABANDONED]: "abandoned",
} as const satisfies Record<AttemptOutcome, string>;

/** Values of the label `kind` of tokens, and the counts. */
const tokenKinds = [
  ["input", "inputTokens"],
  ["output", "outputTokens"],
  ["cached_input", "cachedInputTokens"],
  ["cache_write_input", "cacheWriteInputTokens"],
  ["reasoning", "reasoningTokens"],
] as const satisfies readonly (readonly [string, keyof Usage])[];

export const tokenKindNames: readonly string[] = tokenKinds.map(([kind]) => kind);

/**
 * Counts calls. Each event takes less than a microsecond: `npm run bench -- --telemetry`.
 *
 * @param maxAccounts number of accounts that have metrics of their own. 0: none.
 */
export function createCallMetrics(names: LabelNames, maxAccounts: number): CallMetrics {
  const calls = new Counter(definitions.calls);
  const durations = new Histogram(definitions.callDuration);
  const firstOutputs = new Histogram(definitions.firstOutput);
  const overheads = new Histogram(definitions.overhead);
  const attempts = new Counter(definitions.attempts);
  const tokens = new Counter(definitions.tokens);
  const costs = new Counter(definitions.cost);
  const accounts = maxAccounts > 0 ? createAccountMetrics(maxAccounts) : undefined;
  let inFlight = 0;

  function countUsage({ provider, model }: Labels, usage: Usage): void {
    for (const [kind, field] of tokenKinds) {
      const count = usage[field];
      if (count) tokens.add(count, provider, model, kind);
    }
    if (usage.cost) costs.add(dollars(usage.cost.totalNanos), provider, model);
  }

  return {
    observer: {
      begin() {
        inFlight++;
      },
      attempt(_, { target, outcome, failureReason }: Attempt) {
        attempts.add(1, names.target(target), attemptOutcomes[outcome] ?? otherName, names.reason(failureReason));
      },
      settled(record) {
        inFlight--;
        const { method, outcome, reason = "", durationMs, firstOutputMs, upstreamMs, usage, trace } = record;
        const labels = { provider: names.provider(record.provider), model: names.model(record.model) };
        const { provider, model } = labels;
        const recorded = trace?.isSampled ? trace : undefined;
        calls.add(1, method, provider, model, outcome, reason);
        durations.observe(durationMs / 1000, recorded, method, provider, model, outcome);
        if (firstOutputMs !== undefined) {
          firstOutputs.observe(firstOutputMs / 1000, recorded, method, provider, model);
        }
        if (upstreamMs !== undefined) {
          overheads.observe(Math.max(0, durationMs - upstreamMs) / 1000, recorded, method);
        }
        if (usage !== undefined) countUsage(labels, usage);
        accounts?.count(record);
        return undefined;
      },
    },
    families: [
      ...[calls, durations, firstOutputs, overheads],
      readWhenAsked(definitions.callsInFlight, () => inFlight),
      ...[attempts, tokens, costs],
      ...(accounts?.families ?? []),
    ],
  };
}

interface Labels {
  readonly provider: string;
  readonly model: string;
}

/** Creates the metrics of accounts. The first `maxAccounts` of the process have labels, the others count as `other`. */
function createAccountMetrics(maxAccounts: number) {
  const calls = new Counter(accountDefinitions.calls);
  const tokens = new Counter(accountDefinitions.tokens);
  const costs = new Counter(accountDefinitions.cost);
  const known = new Set<string>();

  function labelOf(account: string): string {
    if (account === "" || known.has(account)) return account;
    if (known.size >= maxAccounts) return otherName;
    known.add(account);
    return account;
  }

  return {
    families: [calls, tokens, costs],
    count({ accountId, outcome, usage, attempts }: CallRecord): void {
      // Only calls that a provider was asked for can have created the label of an account.
      const account = attempts.length > 0 || known.has(accountId) ? labelOf(accountId) : otherName;
      calls.add(1, account, outcome);
      if (usage === undefined) return;
      tokens.add(usage.inputTokens, account, "input");
      tokens.add(usage.outputTokens, account, "output");
      if (usage.cost) costs.add(dollars(usage.cost.totalNanos), account);
    },
  };
}

function dollars(nanos: bigint): number {
  return Number(nanos) / 1e9;
}
