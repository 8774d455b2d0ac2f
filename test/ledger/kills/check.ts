import { isDeepStrictEqual } from "node:util";
import { equals } from "@bufbuild/protobuf";
import { type Kysely, sql } from "kysely";
import type { Database } from "../../../src/database/database.ts";
import { CallOutcome, type CallRecord } from "../../../src/gen/dragoman/admin/v1/call_record_pb.js";
import { type Usage, UsageSchema } from "../../../src/gen/dragoman/v1/usage_pb.js";
import { type LedgerTables, usageGroups, usageSums } from "../../../src/ledger/sql/tables.ts";
import { readRecords } from "../../support/ledger-records.ts";
import type { SeenCall, SeenEnd } from "./calls.ts";

/** Time in ms that a response waits for its record at most. The log of a killed process cannot tell which did not wait. */
const patienceMs = 250;

/** What the clients of one process saw. */
export interface SeenProcess {
  readonly calls: readonly SeenCall[];
  readonly isKilled: boolean;
}

/** Figures of a ledger after some rounds. */
export interface Finding {
  readonly calls: number;
  /** Calls whose trailers a client saw. */
  readonly acknowledged: number;
  readonly records: number;
  readonly lost: number;
  /** Other calls that a client saw begin without a record, or end without the record of their end. */
  readonly missing: number;
  /** Calls of killed processes that can have been late: their response may not have waited for the record. */
  readonly late: number;
  readonly doubled: number;
  /** Each thing that contradicts the promise. */
  readonly problems: readonly string[];
}

export async function checkLedger(database: Database, processes: readonly SeenProcess[]): Promise<Finding> {
  const ledger = (await database.open()).$extendTables<LedgerTables>();
  const records = [...(await readRecords(database)).values()];
  const byRequest = new Map(records.map((record) => [record.requestId, record]));
  const rows = await ledger.selectFrom("call").select(["id", "request_id"]).execute();
  const ids = new Set(rows.map(({ id }) => id));
  const doubled = 2 * rows.length - ids.size - new Set(rows.map((row) => row.request_id)).size;
  const problems = doubled === 0 ? [] : [`${doubled} calls are doubled`];
  const known = new Set<string>();
  let missing = 0;
  let late = 0;
  for (const process of processes) {
    for (const call of process.calls) {
      known.add(call.requestId);
      const record = byRequest.get(call.requestId);
      if (record === undefined && call.id === undefined && call.end === undefined) continue;
      const problem = record ? contradiction(call, record, process.isKilled) : "has no record";
      if (problem === undefined) continue;
      const isGone = record === undefined || record.outcome === CallOutcome.LOST;
      if (isGone && process.isKilled && call.tookMs >= patienceMs) {
        late++;
        continue;
      }
      if (isGone) missing++;
      problems.push(`${call.requestId} ${call.id} ${problem}, after ${Math.round(call.tookMs)} ms`);
    }
  }
  for (const { requestId } of records) if (!known.has(requestId)) problems.push(`nobody made the call ${requestId}`);
  problems.push(...(await wrongSums(ledger, "hour")), ...(await wrongSums(ledger, "day")));
  if (database.kind === "postgres") problems.push(...(await wrongPartitions(ledger)));
  const calls = processes.flatMap((process) => process.calls);
  return {
    calls: calls.length,
    acknowledged: calls.filter(({ end }) => end !== undefined).length,
    records: records.length,
    lost: records.filter(({ outcome }) => outcome === CallOutcome.LOST).length,
    ...{ missing, late, doubled, problems },
  };
}

/** Returns how a record contradicts what the client saw. */
function contradiction(call: SeenCall, record: CallRecord, isKilled: boolean): string | undefined {
  if (call.id !== undefined && record.id !== call.id) return `has the record of ${record.id}`;
  // A call that ends before its message has arrived has no account.
  const hasAccount = [CallOutcome.OK, CallOutcome.LOST].includes(record.outcome) || record.account !== "";
  if (hasAccount && record.account !== call.account) return `has the account ${record.account}`;
  const outcome = CallOutcome[record.outcome];
  if (outcome === undefined || record.outcome === CallOutcome.UNSPECIFIED) return "has no outcome";
  const { end } = call;
  if (end === undefined)
    return record.outcome === CallOutcome.LOST && !isKilled ? "is lost, but its process was not killed" : undefined;
  if (isAsSeen(end, record)) return undefined;
  return `has ${outcome} ${record.reason} ${JSON.stringify(record.usage, replaceBigInt)}, not ${JSON.stringify(end, replaceBigInt)}`;
}

const unsuccessful: ReadonlySet<CallOutcome> = new Set([
  ...[CallOutcome.FAILED, CallOutcome.REFUSED, CallOutcome.DEADLINE_EXCEEDED],
]);

function isAsSeen(end: SeenEnd, { outcome, reason, usage }: CallRecord): boolean {
  if ("reason" in end) return unsuccessful.has(outcome) && (end.reason ?? reason) === reason;
  const seen = end.usage;
  // The echo provider always has usage, and a price.
  if (outcome !== CallOutcome.OK || seen === undefined || usage?.cost === undefined) return false;
  if (isMessage(seen)) return equals(UsageSchema, seen, usage);
  return seen.inputTokens === usage.inputTokens && seen.outputTokens === usage.outputTokens;
}

const isMessage = (usage: Usage | Pick<Usage, "inputTokens" | "outputTokens">): usage is Usage => "$typeName" in usage;

const replaceBigInt = (_: string, value: unknown) => (typeof value === "bigint" ? String(value) : value);

const groups = Object.keys(usageGroups) as (keyof typeof usageGroups)[];

/** Compares the sums of each hour or day with those over the calls, which the database computes. */
async function wrongSums(ledger: Kysely<LedgerTables>, step: "hour" | "day"): Promise<readonly string[]> {
  const stored = await sql<
    Record<string, unknown>
  >`select ${sql.ref(step)} as time, ${sql.join(groups.map((group) => sql.ref(group)))},
    ${sql.join(usageSums.slice(0, 8).map((sum) => sql.ref(sum)))} from ${sql.table(`usage_${step}`)}`.execute(ledger);
  const calls = await ledger.selectFrom("call").selectAll().execute();
  const sums = new Map<string, bigint[]>();
  for (const call of calls) {
    const time =
      step === "hour" ? `${call.start_time.slice(0, 13)}:00:00.000Z` : `${call.start_time.slice(0, 10)}T00:00:00.000Z`;
    const key = [time, ...groups.map((group) => (group === "model" && call.provider === "" ? "" : call[group]))].join(
      " | ",
    );
    const unpriced = call.input_tokens !== null && call.cost_nanos === null;
    const values = [1n, unpriced ? 1n : 0n, call.input_tokens, call.output_tokens, call.cached_input_tokens];
    values.push(call.cache_write_input_tokens, call.reasoning_tokens, call.cost_nanos);
    const sum = sums.get(key) ?? values.map(() => 0n);
    sums.set(
      key,
      values.map((value, index) => (sum[index] ?? 0n) + (value ?? 0n)),
    );
  }
  const expected = [...sums].map(([key, values]) => `${key}: ${values.join(" ")}`).sort();
  const found = stored.rows
    .map((row) => {
      const key = ["time", ...groups].map((name) => row[name]).join(" | ");
      return `${key}: ${usageSums
        .slice(0, 8)
        .map((name) => row[name])
        .join(" ")}`;
    })
    .sort();
  if (isDeepStrictEqual(found, expected)) return [];
  return expected
    .filter((line) => !found.includes(line))
    .concat(found.filter((line) => !expected.includes(line)))
    .map((line) => `usage_${step} differs from the sums over the calls: ${line}`);
}

/** Each call must be in the partition of its day in UTC, and the next days must have theirs. */
async function wrongPartitions(ledger: Kysely<LedgerTables>): Promise<readonly string[]> {
  const { rows } = await sql<{ count: bigint }>`select count(*) from call
    where tableoid <> to_regclass('call_' || to_char(start_time at time zone 'UTC', 'YYYYMMDD'))`.execute(ledger);
  const ahead = await sql<{ count: bigint }>`select count(*) from generate_series(0, 3) as days
    where to_regclass('call_' || to_char(now() at time zone 'UTC' + days * interval '1 day', 'YYYYMMDD')) is null`.execute(
    ledger,
  );
  return [
    ...(rows[0]?.count === 0n ? [] : [`${rows[0]?.count} calls are in the partition of another day`]),
    ...(ahead.rows[0]?.count === 0n ? [] : [`${ahead.rows[0]?.count} partitions of the next days are missing`]),
  ];
}
