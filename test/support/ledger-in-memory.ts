import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { CallOutcome, type CallRecord, CallRecordSchema } from "../../src/gen/dragoman/admin/v1/call_record_pb.js";
import type {
  CallScope,
  CallsQuery,
  UsageFilter,
  UsageGroupName,
  UsageQuery,
  UsageReader,
  UsageSum,
} from "../../src/ledger/usage-reader.ts";

const hourMs = 3_600_000;

/** Makes the record of a call that began at a time and succeeded with 10 input and 5 output tokens for 1,000 nanodollars. */
export function callRecord(
  startTime: string,
  id: string,
  changes: Exclude<MessageInitShape<typeof CallRecordSchema>, CallRecord> = {},
): CallRecord {
  return create(CallRecordSchema, {
    id,
    startTime: timestampFromMs(Date.parse(startTime)),
    outcome: CallOutcome.OK,
    usage: { inputTokens: 10, outputTokens: 5, totalTokens: 15, cost: { totalNanos: 1_000n } },
    requestId: id,
    ...changes,
  });
}

/** Ledger that defines what each query means, without regard to speed. */
export class LedgerInMemory implements UsageReader {
  readonly records: CallRecord[] = [];
  /** Queries so far, with their scopes. */
  readonly queries: { readonly query: UsageQuery | CallsQuery | string; readonly scope: CallScope }[] = [];

  async queryUsage(query: UsageQuery, scope: CallScope): Promise<readonly UsageSum[]> {
    this.queries.push({ query, scope });
    const { startMs, endMs, groupBy, labelKey, interval, filter, limit, after } = query;
    const sums = new Map<string, UsageSum>();
    for (const record of this.records) {
      const hour = Math.floor(msOf(record) / hourMs) * hourMs;
      if (hour < startMs || hour >= endMs || !inScope(record, scope) || !matches(record, filter)) continue;
      const step = interval === "range" ? startMs : beginningOf(hour, interval);
      const groups = groupBy.map((group) => groupOf(record, group, labelKey));
      const key = JSON.stringify([step, groups]);
      sums.set(key, add(sums.get(key) ?? { ...emptySum, startMs: step, groups }, record));
    }
    return [...sums.values()]
      .sort((a, b) => comparePlaces(a, b))
      .filter((sum) => after === undefined || comparePlaces(sum, after) > 0)
      .slice(0, limit);
  }

  async listCalls(query: CallsQuery, scope: CallScope): Promise<readonly CallRecord[]> {
    this.queries.push({ query, scope });
    const { startMs = -Infinity, endMs = Infinity, outcome, requestId, limit, before } = query;
    const compare = (a: readonly [number, string], b: readonly [number, string]) =>
      a[0] - b[0] || compareTexts(a[1], b[1]);
    const placeOf = (record: CallRecord) => [msOf(record), record.id] as const;
    return this.records
      .filter((record) => msOf(record) >= startMs && msOf(record) < endMs)
      .filter((record) => inScope(record, scope) && matches(record, query))
      .filter((record) => outcome === undefined || record.outcome === outcome)
      .filter((record) => requestId === undefined || record.requestId === requestId)
      .filter((record) => before === undefined || compare(placeOf(record), [before.startMs, before.id]) < 0)
      .sort((a, b) => compare(placeOf(b), placeOf(a)))
      .slice(0, limit);
  }

  async getCall(id: string, scope: CallScope): Promise<CallRecord | undefined> {
    this.queries.push({ query: id, scope });
    return this.records.find((record) => record.id === id && inScope(record, scope));
  }
}

function msOf({ startTime }: CallRecord): number {
  return startTime === undefined ? 0 : timestampMs(startTime);
}

function inScope({ account, keyId }: CallRecord, scope: CallScope): boolean {
  switch (scope.calls) {
    case "all":
      return true;
    case "of accounts":
      return scope.accounts.includes(account);
    case "of key":
      return keyId === scope.keyId;
    default:
      return scope satisfies never;
  }
}

function matches(record: CallRecord, { account, keyId, model, provider, route }: UsageFilter): boolean {
  const wanted = [
    [account, record.account],
    [keyId, record.keyId],
    [model, record.model],
    [provider, record.provider],
    [route, record.route],
  ];
  return wanted.every(([value, actual]) => value === undefined || value === actual);
}

function groupOf(record: CallRecord, group: UsageGroupName, labelKey: string): string {
  switch (group) {
    case "key":
      return record.keyId;
    case "outcome":
      return CallOutcome[record.outcome].toLowerCase();
    case "label":
      return record.labels[labelKey] ?? "";
    default:
      return record[group];
  }
}

function beginningOf(ms: number, interval: Exclude<UsageQuery["interval"], "range">): number {
  const time = new Date(ms);
  switch (interval) {
    case "hour":
      return ms;
    case "day":
      return Date.UTC(time.getUTCFullYear(), time.getUTCMonth(), time.getUTCDate());
    case "month":
      return Date.UTC(time.getUTCFullYear(), time.getUTCMonth());
    default:
      return interval satisfies never;
  }
}

const emptySum = {
  ...{ calls: 0n, failedCalls: 0n, inputTokens: 0n, outputTokens: 0n },
  ...{ cachedInputTokens: 0n, costNanos: 0n, unpricedCalls: 0n },
};

function add(sum: UsageSum, { outcome, usage }: CallRecord): UsageSum {
  return {
    ...sum,
    calls: sum.calls + 1n,
    failedCalls: sum.failedCalls + (outcome === CallOutcome.OK ? 0n : 1n),
    inputTokens: sum.inputTokens + BigInt(usage?.inputTokens ?? 0),
    outputTokens: sum.outputTokens + BigInt(usage?.outputTokens ?? 0),
    cachedInputTokens: sum.cachedInputTokens + BigInt(usage?.cachedInputTokens ?? 0),
    costNanos: sum.costNanos + (usage?.cost?.totalNanos ?? 0n),
    unpricedCalls: sum.unpricedCalls + (usage !== undefined && usage.cost === undefined ? 1n : 0n),
  };
}

function comparePlaces(a: Pick<UsageSum, "startMs" | "groups">, b: Pick<UsageSum, "startMs" | "groups">): number {
  if (a.startMs !== b.startMs) return a.startMs - b.startMs;
  for (const [index, text] of a.groups.entries()) {
    const order = compareTexts(text, b.groups[index] ?? "");
    if (order !== 0) return order;
  }
  return 0;
}

/** Compares by code points, as databases do. JavaScript's own comparison is by UTF-16 code units. */
function compareTexts(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
