import type { Reason } from "../errors.ts";
import type { Attempt } from "../gen/dragoman/v1/completion_pb.js";
import type { Usage } from "../gen/dragoman/v1/usage_pb.js";
import type { ObservedCall } from "./call-observer.ts";

/** What became of a call. */
export type Outcome = "ok" | "error" | "cancelled" | "deadline";

/** The record of one call, made once when the call settles. */
export interface CallRecord extends ObservedCall {
  /** Id of the caller's key in the configuration; empty without authentication. */
  readonly keyId: string;
  readonly accountId: string;
  /** ChatRequest.user. */
  readonly user: string;
  /** As requested until the model is resolved, then Model.id. */
  readonly model: string;
  readonly provider: string;
  readonly outcome: Outcome;
  /** Undefined when the outcome is `ok`. */
  readonly reason: Reason | undefined;
  /** Undefined when no provider accepted a request. */
  readonly usage: Usage | undefined;
  /** One for each upstream request. */
  readonly attempts: readonly Attempt[];
  readonly durationMs: number;
  /** Milliseconds from the beginning of the call. Undefined when there was no output. */
  readonly firstOutputMs: number | undefined;
}
