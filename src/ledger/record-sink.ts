import type { CallRecord } from "../gen/dragoman/admin/v1/call_record_pb.js";

/** Destination of call records, such as a database. The outbox ships every record to each of its sinks. */
export interface RecordSink {
  /** Name of the sink, which the file with its position in the outbox has: lower-case letters and digits. */
  readonly name: string;
  /**
   * Stores records, each exactly once: ignores a record whose id the destination has already. Resolves when they are
   * durable there. Rejects if the destination does not accept them now; the outbox then offers the same records again.
   */
  store(records: readonly CallRecord[]): Promise<void>;
  close(): Promise<void>;
}
