import { create } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { expect, it } from "vitest";
import type { SpendingQuery } from "../../../src/accounts/limits/spending-reader.ts";
import type { CallRecord } from "../../../src/gen/dragoman/admin/v1/call_record_pb.js";
import { CostSchema, UsageSchema } from "../../../src/gen/dragoman/v1/usage_pb.js";
import { createDatabaseSink } from "../../../src/ledger/sql/database-sink.ts";
import { createSpendingReader } from "../../../src/ledger/sql/read-spending.ts";
import { describeDatabases } from "../../support/databases.ts";
import { testRecord } from "./records.ts";

const hourMs = 3_600_000;
const minuteMs = 60_000;
const firstMs = Date.UTC(2026, 9, 24, 20);
const hours = 9 * 24;
const forever = { callsMs: 0, hoursMs: 0 };

const name = fc.constantFrom("", "a", "b", "Z", "\u00e9");

/** Few different times, so that calls are often at the ends of a time range: half and quarter hours, and a ms beside. */
const time = fc
  .record({ quarter: fc.nat(hours * 4), beside: fc.constantFrom(-1, 0, 0, 1) })
  .map(({ quarter, beside }) => firstMs + quarter * 15 * minuteMs + beside);

const record: fc.Arbitrary<CallRecord> = fc
  .record({ account: name, keyId: name, startMs: time, cost: fc.option(fc.bigInt({ min: 0n, max: 10n ** 14n })) })
  .map(({ cost, ...fields }) => {
    const usage = create(UsageSchema, {
      ...{ inputTokens: 1, outputTokens: 1 },
      ...(cost !== null && { cost: create(CostSchema, { totalNanos: cost }) }),
    });
    return testRecord({ ...fields, usage });
  });

const query: fc.Arbitrary<SpendingQuery> = fc.record({
  by: fc.constantFrom("account", "key"),
  ids: fc.uniqueArray(name, { minLength: 1 }),
  startMs: time,
  endMs: time,
});

function expected(records: readonly CallRecord[], { by, ids, startMs, endMs }: SpendingQuery) {
  const sums = new Map<string, number>();
  for (const { account, keyId, startTime, usage } of records) {
    const ms = startTime === undefined ? 0 : timestampMs(startTime);
    const id = by === "account" ? account : keyId;
    const nanos = Number(usage?.cost?.totalNanos ?? 0n);
    if (ids.includes(id) && ms >= startMs && ms < endMs && nanos > 0) sums.set(id, (sums.get(id) ?? 0) + nanos);
  }
  return sums;
}

const entries = (sums: ReadonlyMap<string, number>) => [...sums].sort(([a], [b]) => (a < b ? -1 : 1));

describeDatabases("what calls have cost", ({ connect }) => {
  it("is the sum over the calls of a time range, to the millisecond", { timeout: 60_000 }, async () => {
    const database = await connect();
    const records = fc.sample(record, { numRuns: 400, seed: 7 });
    await createDatabaseSink(database).store(records);
    const reader = createSpendingReader(database, forever);
    await fc.assert(
      fc.asyncProperty(query, async (one) => {
        expect(entries(await reader.spentBy(one))).toEqual(entries(expected(records, one)));
      }),
      { numRuns: 300 },
    );
  });

  it("has the whole first hour of a period whose calls may have been removed", async () => {
    const database = await connect();
    const startMs = Math.floor(Date.now() / hourMs) * hourMs - 40 * 24 * hourMs;
    const usage = create(UsageSchema, { cost: create(CostSchema, { totalNanos: 5n }) });
    const calls = [0, 10, 40].map((minute) =>
      testRecord({ account: "a", startMs: startMs + minute * minuteMs, usage }),
    );
    await createDatabaseSink(database).store(calls);
    const range = { by: "account", ids: ["a"], startMs: startMs + 30 * minuteMs, endMs: Date.now() } as const;
    const spentWith = async (retention: typeof forever) =>
      (await createSpendingReader(database, retention).spentBy(range)).get("a");
    expect(await spentWith(forever)).toBe(5);
    expect(await spentWith({ callsMs: 30 * 24 * hourMs, hoursMs: 0 })).toBe(15);
  });
});
