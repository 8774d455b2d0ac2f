import type { CallRecord } from "../gen/dragoman/admin/v1/call_record_pb.js";

/** Destination of call records, such as a database. The outbox ships every record to each of its sinks. */
export interface RecordSink {
  /** Name of the sink, which the file with its position in the outbox has: lower-case letters and digits. */
  readonly name: string;
  /**
   * Stores records, each exactly once: ignores a record whose id the destination has already. Resolves when they are
   * durable there. Rejects if the destination does not accept them now; the outbox then offers the same records again.
   * Rejects with UnacceptableRecords if it will never accept one of them.
   */
  store(records: readonly CallRecord[]): Promise<void>;
  close(): Promise<void>;
}

/**
 * The destination will never accept at least one of the records, because of its content. The outbox then offers them in
 * smaller parts, until it knows which, and keeps those in a file beside the outbox. A sink must not throw this error if
 * it has stored some of the records, unless it ignores them the next time.
 */
export class UnacceptableRecords extends Error {
  override readonly name = "UnacceptableRecords";
}
