import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { Database } from "../../src/database/database.ts";
import type { CallRecord } from "../../src/gen/dragoman/admin/v1/call_record_pb.js";
import { createUsageReader } from "../../src/ledger/sql/reader.ts";
import type { UsageSum } from "../../src/ledger/usage-reader.ts";

const pageSize = 1000;
const all = { calls: "all" } as const;

/** Returns all records of a database, by id. */
export async function readRecords(database: Database): Promise<ReadonlyMap<string, CallRecord>> {
  const reader = createUsageReader(database);
  const records = new Map<string, CallRecord>();
  for (let last: CallRecord | undefined; ; ) {
    const before = last?.startTime && { startMs: timestampMs(last.startTime), id: last.id };
    const page = await reader.listCalls({ limit: pageSize, before }, all);
    for (const record of page) records.set(record.id, record);
    last = page.at(-1);
    if (page.length < pageSize) return records;
  }
}

/** Returns the sum over all calls of a database, from its roll-ups. */
export async function readTotal(database: Database): Promise<UsageSum | undefined> {
  const range = { startMs: 0, endMs: Date.parse("2100-01-01T00:00:00Z") };
  const query = { ...range, groupBy: [], labelKey: "", interval: "range", filter: {}, limit: 1 } as const;
  return (await createUsageReader(database).queryUsage(query, all))[0];
}
