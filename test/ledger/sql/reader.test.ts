import { create } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { expect, it } from "vitest";
import { createDatabase } from "../../../src/database/database.ts";
import { CallOutcome, type CallRecord } from "../../../src/gen/dragoman/admin/v1/call_record_pb.js";
import { CostSchema, UsageSchema } from "../../../src/gen/dragoman/v1/usage_pb.js";
import { createDatabaseSink } from "../../../src/ledger/sql/database-sink.ts";
import { createUsageReader } from "../../../src/ledger/sql/reader.ts";
import type { CallScope, CallsQuery, UsageQuery, UsageReader, UsageSum } from "../../../src/ledger/usage-reader.ts";
import { describeDatabases, testFolder } from "../../support/databases.ts";
import { all, expectedSums } from "./ledger.ts";
import { testRecord } from "./records.ts";

const hourMs = 3_600_000;
// Berlin has no 2 o'clock on March 29, and two on October 25. Hours and days are those of UTC.
const firstMs = Date.UTC(2026, 9, 24, 20);
const lastMs = Date.UTC(2026, 10, 2, 4);

const names = ["", "a", "b", "Z", "\u00e9", "\uffee", "\u{1f600}"];
const anyName = fc.constantFrom(...names);
// Keys that SQLite's operators would read as paths, and those of JSON itself.
const labelKeys = ["team", "$.team", "[0]", "0", 'quo"te', "__proto__", "a.b", ""];

const record: fc.Arbitrary<CallRecord> = fc
  .record({
    ...{ account: anyName, keyId: anyName, route: anyName, model: anyName, provider: anyName },
    labels: fc.dictionary(fc.constantFrom(...labelKeys), anyName, { maxKeys: 3 }),
    outcome: fc.constantFrom(CallOutcome.OK, CallOutcome.FAILED, CallOutcome.LOST, CallOutcome.DEADLINE_EXCEEDED),
    tokens: fc.option(fc.integer({ min: 0, max: 2 ** 31 - 1 })),
    cost: fc.option(fc.bigInt({ min: 0n, max: 10n ** 15n })),
    requestId: fc.constantFrom("r1", "r2"),
    // Few different times, so that calls often begin in the same millisecond or at the beginning of an hour.
    startMs: fc
      .integer({ min: 0, max: (lastMs - firstMs) / (hourMs / 2) })
      .map((half) => firstMs + (half * hourMs) / 2),
  })
  .map(({ tokens, cost, ...fields }) => {
    const usage =
      tokens === null
        ? undefined
        : create(UsageSchema, {
            ...{ inputTokens: tokens, outputTokens: tokens, cachedInputTokens: tokens },
            ...(cost !== null && { cost: create(CostSchema, { totalNanos: cost }) }),
          });
    return testRecord({ ...fields, usage });
  });

const hour = fc.integer({ min: -2, max: (lastMs - firstMs) / hourMs + 2 }).map((index) => firstMs + index * hourMs);
const filterValue = fc.option(anyName, { nil: undefined, freq: 1 });

const usageQuery: fc.Arbitrary<UsageQuery> = fc.record({
  ...{ startMs: hour, endMs: hour },
  groupBy: fc.subarray(["account", "key", "model", "provider", "route", "outcome", "label"] as const, { maxLength: 3 }),
  labelKey: fc.constantFrom(...labelKeys),
  interval: fc.constantFrom("range", "hour", "day", "month"),
  filter: fc.record({ account: filterValue, keyId: filterValue, model: filterValue }, { requiredKeys: [] }),
  limit: fc.integer({ min: 1, max: 40 }),
});

const scope: fc.Arbitrary<CallScope> = fc.oneof(
  fc.constant(all),
  fc.record({ calls: fc.constant("of accounts" as const), accounts: fc.subarray(names) }),
  fc.record({ calls: fc.constant("of key" as const), keyId: anyName }),
);

const isIn = ({ account, keyId }: CallRecord, allowed: CallScope): boolean => {
  if (allowed.calls === "all") return true;
  return allowed.calls === "of key" ? keyId === allowed.keyId : allowed.accounts.includes(account);
};

const msOf = ({ startTime }: CallRecord) => (startTime === undefined ? 0 : timestampMs(startTime));

/** Reads all pages. */
async function allSums(reader: UsageReader, query: UsageQuery, allowed: CallScope): Promise<readonly UsageSum[]> {
  const sums: UsageSum[] = [];
  for (;;) {
    const page = await reader.queryUsage({ ...query, after: sums.at(-1) }, allowed);
    expect(page.length).toBeLessThanOrEqual(query.limit);
    sums.push(...page);
    if (page.length < query.limit) return sums;
  }
}

async function allCalls(reader: UsageReader, query: CallsQuery, allowed: CallScope): Promise<readonly CallRecord[]> {
  const calls: CallRecord[] = [];
  for (;;) {
    const last = calls.at(-1);
    const page = await reader.listCalls({ ...query, before: last && { startMs: msOf(last), id: last.id } }, allowed);
    calls.push(...page);
    if (page.length < query.limit) return calls;
  }
}

const [records = []] = fc.sample(fc.array(record, { minLength: 400, maxLength: 400 }), { numRuns: 1, seed: 13 });

describeDatabases("queries of the ledger", (databases) => {
  it("returns the sums that the records have, in every scope, page by page", async () => {
    const database = await databases.connect();
    await createDatabaseSink(database).store(records);
    const reader = createUsageReader(database);
    await fc.assert(
      fc.asyncProperty(usageQuery, scope, async (query, allowed) => {
        const visible = records.filter((call) => isIn(call, allowed));
        expect(await allSums(reader, query, allowed)).toEqual(expectedSums(visible, query));
      }),
      { numRuns: 200 },
    );
  });

  it("lists the calls that match, the newest first, and returns none outside of the scope", async () => {
    const database = await databases.connect();
    await createDatabaseSink(database).store(records);
    const reader = createUsageReader(database);
    const query = fc.record({
      ...{ startMs: fc.option(hour, { nil: undefined }), endMs: fc.option(hour, { nil: undefined }) },
      ...{ account: filterValue, keyId: filterValue, model: filterValue },
      requestId: fc.constantFrom(undefined, "r1", "none"),
      outcome: fc.constantFrom(undefined, CallOutcome.OK, CallOutcome.LOST),
      limit: fc.integer({ min: 1, max: 60 }),
    });
    await fc.assert(
      fc.asyncProperty(query, scope, async (wanted, allowed) => {
        const { startMs = Number.NEGATIVE_INFINITY, endMs = Number.POSITIVE_INFINITY, limit: _, ...values } = wanted;
        const equal = Object.entries(values).filter(([, value]) => value !== undefined);
        const expected = records
          .filter((call) => isIn(call, allowed) && msOf(call) >= startMs && msOf(call) < endMs)
          .filter((call) => equal.every(([field, value]) => call[field as keyof CallRecord] === value))
          .sort((a, b) => msOf(b) - msOf(a) || (a.id < b.id ? 1 : -1));
        const listed = await allCalls(reader, wanted, allowed);
        expect(listed.map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
      }),
      { numRuns: 100 },
    );
    const id = records[0]?.id ?? "";
    expect(await reader.getCall(id, { calls: "of accounts", accounts: ["other"] })).toBeUndefined();
    expect((await reader.getCall(id, all))?.id).toBe(id);
    expect(await reader.getCall("chatcmpl-none", all)).toBeUndefined();
  });
});

it("fails with STORE_UNAVAILABLE if the database cannot be opened, with the cause for the log", async () => {
  const folder = testFolder();
  // A folder is no file.
  const database = createDatabase({ kind: "sqlite", path: folder });
  const reading = createUsageReader(database).getCall("chatcmpl-1", all);
  await expect(reading).rejects.toMatchObject({ reason: "STORE_UNAVAILABLE", facts: { retryAfterMs: 1000 } });
  await expect(reading).rejects.toHaveProperty("cause.message", expect.stringMatching(/unable to open/));
});
