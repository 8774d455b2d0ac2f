import type { GatewayError } from "../errors.ts";
import type { Attempt } from "../gen/dragoman/v1/completion_pb.js";
import type { CallRecord } from "./record.ts";

/** What is known of a call from its beginning. */
export interface ObservedCall {
  /** ChatCompletion.id. */
  readonly id: string;
  /** The caller's `x-request-id`, or the call's id. */
  readonly requestId: string;
  /** `CompleteChat`, `StreamChat`, `ListModels`, or the name of an HTTP API. */
  readonly method: string;
  /** `grpc`, `grpc-web`, `connect` or `http`. */
  readonly protocol: string;
  readonly startTime: Date;
}

/**
 * Follows calls: the log, the ledger, metrics, traces. Every method is optional and must return at once. An observer that
 * throws loses its event, and neither the call nor another observer notices.
 */
export interface CallObserver {
  /** A call has begun: its request headers are here. */
  begin?(call: ObservedCall): void;
  /** An upstream request has ended, whatever its outcome. */
  attempt?(call: ObservedCall, attempt: Attempt): void;
  /** The first output was handed on, `elapsedMs` after the call began. */
  firstOutput?(call: ObservedCall, elapsedMs: number): void;
  /** Called exactly once for each call, whatever its outcome. `error` is undefined when it succeeded. */
  settled?(record: CallRecord, error: GatewayError | undefined): void;
}
