import { timestampMs } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { expect, it } from "vitest";
import type { CallRecord } from "../../../src/gen/dragoman/admin/v1/call_record_pb.js";
import { UnacceptableRecords } from "../../../src/ledger/record-sink.ts";
import { createDatabaseSink } from "../../../src/ledger/sql/database-sink.ts";
import { createUsageReader } from "../../../src/ledger/sql/reader.ts";
import type { UsageQuery } from "../../../src/ledger/usage-reader.ts";
import { describeDatabases } from "../../support/databases.ts";
import { all, expectedSums, storedIds, usageTotals } from "./ledger.ts";
import { anyRecord, testRecord, testStartMs } from "./records.ts";

const idsOf = (records: readonly CallRecord[]) => [...new Set(records.map(({ id }) => id))].sort();

const totals: UsageQuery = {
  startMs: 0,
  endMs: Date.UTC(9999, 0),
  groupBy: [],
  labelKey: "",
  interval: "range",
  filter: {},
  limit: 1,
};

const dayMs = 86_400_000;

describeDatabases("the sink of the database", (databases) => {
  it("returns every record as it was stored", async () => {
    const database = await databases.connect();
    const [sink, reader] = [createDatabaseSink(database), createUsageReader(database)];
    await fc.assert(
      fc.asyncProperty(anyRecord, async (record) => {
        await sink.store([record]);
        expect(await reader.getCall(record.id, all)).toEqual(record);
      }),
      { numRuns: 150 },
    );
  });

  it("counts each record once, whatever the batches and the repetitions of two sinks", async () => {
    const scripts = fc
      .array(anyRecord, { minLength: 1, maxLength: 30 })
      .chain((records) => fc.tuple(fc.constant(records), fc.array(fc.array(fc.subarray(records)), { maxLength: 5 })));
    await fc.assert(
      fc.asyncProperty(scripts, async ([records, rounds]) => {
        const database = await databases.connect();
        const sinks = [createDatabaseSink(database), createDatabaseSink(database)];
        for (const round of [...rounds, [records], [records.toReversed()]]) {
          await Promise.all(round.flatMap((batch) => sinks.map((sink) => sink.store(batch))));
        }
        expect(await storedIds(database)).toEqual(idsOf(records));
        expect(await createUsageReader(database).queryUsage(totals, all)).toEqual(expectedSums(records, totals));
        expect((await usageTotals(database)).calls).toBe(BigInt(records.length));
        await database.close();
      }),
      { numRuns: 12 },
    );
  });

  it("keeps the first of two records with one id, also in one batch", async () => {
    const database = await databases.connect();
    const first = testRecord({ account: "first" });
    const second = testRecord({ id: first.id, account: "second" });
    const sink = createDatabaseSink(database);
    await sink.store([first, second]);
    await sink.store([second]);
    expect(await createUsageReader(database).getCall(first.id, all)).toEqual(first);
    expect((await usageTotals(database)).calls).toBe(1n);
  });

  it("replaces characters that a database cannot store, and cuts names that no index takes", async () => {
    const database = await databases.connect();
    const long = "\u{1f600}".repeat(256);
    const records = [
      testRecord({ user: "a\0b", labels: { "k\0": "\ud800", __proto__: "own" }, notes: ["\udc00"] }),
      testRecord({ account: long, keyId: long, route: long, model: long, provider: long, requestId: long }),
      testRecord({ user: "x".repeat(1_000_000), model: `${"\u00e9".repeat(300)}` }),
      testRecord({ user: "\\u0000 '\" $1 ? \u2028" }),
    ];
    await createDatabaseSink(database).store(records);
    const reader = createUsageReader(database);
    const stored = await Promise.all(records.map(({ id }) => reader.getCall(id, all)));
    expect(stored[0]).toMatchObject({ user: "a\ufffdb", labels: { "k\ufffd": "\ufffd" }, notes: ["\ufffd"] });
    expect(stored[1]?.model).toMatch(/^(\u{1f600}){127}/u);
    expect(stored.slice(2).map((record) => record?.user)).toEqual(records.slice(2).map(({ user }) => user));
    expect((await usageTotals(database)).calls).toBe(4n);
    expect(await reader.listCalls({ account: "a\0", limit: 1 }, all)).toEqual([]);
  });

  it("says when the database can never take a record, and stores none of the batch", async () => {
    const database = await databases.connect();
    const sink = createDatabaseSink(database);
    const expensive = () => testRecord({ usage: { cost: { totalNanos: 2n ** 63n - 1n } } });
    await sink.store([expensive()]);
    await expect(sink.store([testRecord(), expensive()])).rejects.toThrow(UnacceptableRecords);
    expect((await usageTotals(database)).calls).toBe(1n);
    await sink.store([testRecord()]);
    expect((await usageTotals(database)).calls).toBe(2n);
  });

  it("stores records of any time, and more of them than one transaction takes", async () => {
    const database = await databases.connect();
    const times = [0, testStartMs - 400 * dayMs, testStartMs - 7 * dayMs, testStartMs, testStartMs + 100 * 365 * dayMs];
    const records = [
      ...times.map((startMs) => testRecord({ startMs })),
      ...Array.from({ length: 1200 }, (_, index) => testRecord({ startMs: testStartMs + index * 60_000 })),
    ];
    await createDatabaseSink(database).store(records);
    expect(await storedIds(database)).toEqual(idsOf(records));
    const { startTime } = (await createUsageReader(database).listCalls({ limit: 1 }, all))[0] ?? {};
    expect(startTime && timestampMs(startTime)).toBe(times.at(-1));
  });

  it("counts durations in buckets from which a percentile can be computed", async () => {
    const database = await databases.connect();
    const durations = [0.2, 25, 25.001, 900, 6_300_000];
    const records = durations.map((ms) => {
      const nanos = Math.round(ms * 1e6);
      return testRecord({ duration: { seconds: BigInt(Math.floor(nanos / 1e9)), nanos: nanos % 1e9 } });
    });
    await createDatabaseSink(database).store([...records, testRecord({ duration: undefined })]);
    expect(await usageTotals(database)).toMatchObject({
      ...{ calls: 6n, duration_ms: 6_300_950n, took_up_to_25ms: 2n, took_up_to_40ms: 1n, took_up_to_1000ms: 1n },
      ...{ took_up_to_630ms: 0n, took_longer: 1n },
    });
  });

  it("puts the names of unknown models under one row of the sums", async () => {
    const database = await databases.connect();
    await createDatabaseSink(database).store(["a", "b"].map((model) => testRecord({ model, provider: "" })));
    const sums = await createUsageReader(database).queryUsage({ ...totals, groupBy: ["model"], limit: 9 }, all);
    expect(sums.map(({ groups, calls }) => [groups, calls])).toEqual([[[""], 2n]]);
  });
});
