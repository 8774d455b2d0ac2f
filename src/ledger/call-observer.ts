import type { GatewayError } from "../errors.ts";
import type { Attempt } from "../gen/dragoman/v1/attempt_pb.js";
import type { CallRecord, ObservedCall, StartedCall } from "./record.ts";
import type { SentRequest } from "./sent-request.ts";

/**
 * Observes calls, for the log, the ledger, metrics or traces. Every method is optional and must return at once. If an
 * observer throws, only this event of this observer is lost; the call and the other observers continue.
 */
export interface CallObserver {
  /** A call has begun: Dragoman has received its request headers. */
  begin?(call: ObservedCall): void;
  /**
   * The call may ask a provider from now on. The first upstream request waits for the promise, if there is one. It must
   * resolve within a bounded time, and never reject.
   */
  starting?(call: StartedCall): Promise<void> | undefined;
  /** An upstream request has ended, with any outcome. */
  attempt?(call: ObservedCall, attempt: Attempt): void;
  /**
   * An upstream request has failed. The call may still succeed with another one. `request`: the request as it was
   * planned for the provider.
   */
  attemptFailed?(call: ObservedCall, attempt: Attempt, failure: GatewayError, request: SentRequest): void;
  /** The provider's first output has arrived, `elapsedMs` milliseconds after the call began. */
  firstOutput?(call: ObservedCall, elapsedMs: number): void;
  /**
   * Called exactly once for each call, with any outcome. `error` is undefined if the call succeeded. The end of the
   * response waits for the promise, if there is one. It must resolve within a bounded time, and never reject.
   */
  settled?(record: CallRecord, error: GatewayError | undefined): Promise<void> | undefined;
}
