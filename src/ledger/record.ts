import type { Reason } from "../errors.ts";
import type { Attempt } from "../gen/dragoman/v1/completion_pb.js";
import type { Usage } from "../gen/dragoman/v1/usage_pb.js";

/** What became of a call. */
export type Outcome = "ok" | "error" | "cancelled" | "deadline";

/** The account of one call. Written exactly once for each call, whatever became of it. */
export interface CallRecord {
  /** ChatCompletion.id. */
  readonly id: string;
  /** The caller's x-request-id, or the call's id. */
  readonly requestId: string;
  /** `CompleteChat`, `StreamChat`. */
  readonly method: string;
  /** `grpc`, `grpc-web` or `connect`. */
  readonly protocol: string;
  /** The id of the caller's key in the configuration; empty without authentication. */
  readonly keyId: string;
  readonly accountId: string;
  /** ChatRequest.user. */
  readonly user: string;
  /** As asked until the model was resolved, then as resolved. */
  readonly model: string;
  readonly provider: string;
  readonly outcome: Outcome;
  /** Undefined when the outcome is ok. */
  readonly reason: Reason | undefined;
  /** Undefined when no provider was asked. */
  readonly usage: Usage | undefined;
  readonly attempts: readonly Attempt[];
  readonly startTime: Date;
  readonly durationMs: number;
  /** Undefined when there was no output. */
  readonly firstOutputMs: number | undefined;
}

/** Keeps call records. `write` must not block or throw: a call never fails because its record could not be kept. */
export interface CallLedger {
  write(record: CallRecord): void;
}
