import type { Attempt } from "../gen/dragoman/v1/attempt_pb.js";
import type { TraceContext } from "../trace-context.ts";
import type { CallObserver } from "./call-observer.ts";
import type { ObservedCall } from "./record.ts";
import type { SentRequest } from "./sent-request.ts";

/** Observer that makes spans of calls. Its methods must return at once. */
export interface CallTracer extends CallObserver {
  /**
   * A call has begun. Returns the context of its span.
   *
   * @param caller span of the caller. Undefined: the request has none.
   */
  beginCall(call: ObservedCall, caller: TraceContext | undefined): TraceContext;
  /**
   * An upstream request begins. Returns the context to send to its provider.
   *
   * @param baseUrl base URL of the provider's API. Undefined: the model is in this process.
   */
  beginAttempt(
    call: ObservedCall,
    attempt: Attempt,
    request: SentRequest,
    baseUrl: string | undefined,
  ): TraceContext | undefined;
}
