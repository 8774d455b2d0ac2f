import type { CallOutcome, CallRecord } from "../gen/dragoman/admin/v1/call_record_pb.js";

/** Which calls of the ledger a caller may see: all, those of some accounts, or those that were made with a key. */
export type CallScope =
  | { readonly calls: "all" }
  | { readonly calls: "of accounts"; readonly accounts: readonly string[] }
  | { readonly calls: "of key"; readonly keyId: string };

/** What sums are grouped by: a field of CallRecord, or the value of one of its labels. */
export type UsageGroupName = "account" | "key" | "model" | "provider" | "route" | "outcome" | "label";

/** Only calls with these values count. Undefined: any value. */
export interface UsageFilter {
  readonly account?: string | undefined;
  readonly keyId?: string | undefined;
  readonly model?: string | undefined;
  readonly provider?: string | undefined;
  readonly route?: string | undefined;
}

/** Place of a sum in the order of the sums: by time, then by groups. */
export interface UsagePlace {
  readonly startMs: number;
  readonly groups: readonly string[];
}

export interface UsageQuery {
  /** Beginning of the time range in ms since 1970: a whole hour. */
  readonly startMs: number;
  /** End of the time range, which it does not include, in ms since 1970: a whole hour. */
  readonly endMs: number;
  /** The outermost group first, each once. */
  readonly groupBy: readonly UsageGroupName[];
  /** Label whose values the group `label` has. Empty without that group. */
  readonly labelKey: string;
  /** Step of time, in UTC. `range`: one sum for the whole time range. */
  readonly interval: "range" | "hour" | "day" | "month";
  readonly filter: UsageFilter;
  /** Maximum number of sums to return, at least 1. */
  readonly limit: number;
  /** Returns only sums that follow this place. Undefined: from the beginning. */
  readonly after?: UsagePlace | undefined;
}

/** Sum over calls. */
export interface UsageSum extends UsagePlace {
  readonly calls: bigint;
  /** Calls whose outcome is not `ok`. */
  readonly failedCalls: bigint;
  readonly inputTokens: bigint;
  readonly outputTokens: bigint;
  /** Part of `inputTokens`. */
  readonly cachedInputTokens: bigint;
  /** Cost of the calls whose cost is known, in nanodollars. */
  readonly costNanos: bigint;
  /** Calls with usage whose cost is unknown. */
  readonly unpricedCalls: bigint;
}

/** Place of a call in the order of the calls: by time, then by id. */
export interface CallPlace {
  readonly startMs: number;
  readonly id: string;
}

export interface CallsQuery {
  /** Beginning of the time range in ms since 1970. Undefined: the beginning of the ledger. */
  readonly startMs?: number | undefined;
  /** End of the time range, which it does not include, in ms since 1970. Undefined: no end. */
  readonly endMs?: number | undefined;
  readonly account?: string | undefined;
  readonly keyId?: string | undefined;
  readonly model?: string | undefined;
  readonly outcome?: CallOutcome | undefined;
  readonly requestId?: string | undefined;
  /** Maximum number of calls to return, at least 1. */
  readonly limit: number;
  /** Returns only calls that precede this one in time. Undefined: from the newest. */
  readonly before?: CallPlace | undefined;
}

/** Reads the ledger. Every method rejects with STORE_UNAVAILABLE if the database does not respond. */
export interface UsageReader {
  /** Returns sums, ordered by `startMs` and then by `groups`, whose texts are compared by code points. */
  queryUsage(query: UsageQuery, scope: CallScope): Promise<readonly UsageSum[]>;
  /** Returns calls, the newest first, ordered by the time of their beginning and then by id. */
  listCalls(query: CallsQuery, scope: CallScope): Promise<readonly CallRecord[]>;
  /** Undefined: the ledger has no such call in the scope. */
  getCall(id: string, scope: CallScope): Promise<CallRecord | undefined>;
}
