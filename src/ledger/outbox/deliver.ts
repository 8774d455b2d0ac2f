import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { toJson } from "@bufbuild/protobuf";
import { type CallRecord, CallRecordSchema } from "../../gen/dragoman/admin/v1/call_record_pb.js";
import { type RecordSink, UnacceptableRecords } from "../record-sink.ts";

/**
 * Stores records in a sink. Those that it will never accept go to the file `rejected-<sink>.jsonl` in the outbox. Rejects
 * if the sink does not accept records now, or if that file cannot be written. Returns the number of rejected records.
 */
export async function deliver(records: readonly CallRecord[], sink: RecordSink, outbox: string): Promise<number> {
  if (records.length === 0) return 0;
  try {
    await sink.store(records);
    return 0;
  } catch (error) {
    if (!(error instanceof UnacceptableRecords)) throw error;
    const [only, ...others] = records;
    if (only !== undefined && others.length === 0) {
      const line = { time: new Date().toISOString(), error: error.message, record: toJson(CallRecordSchema, only) };
      appendFileSync(rejectedPath(outbox, sink.name), `${JSON.stringify(line)}\n`, { mode: 0o600 });
      return 1;
    }
    const middle = records.length >>> 1;
    const first = await deliver(records.slice(0, middle), sink, outbox);
    return first + (await deliver(records.slice(middle), sink, outbox));
  }
}

/** Returns the path of the file with the records that a sink will never accept, one JSON object a line. */
export function rejectedPath(outbox: string, sink: string): string {
  return join(outbox, `rejected-${sink}.jsonl`);
}
