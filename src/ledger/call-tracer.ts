import type { Attempt } from "../gen/dragoman/v1/attempt_pb.js";
import type { GenerationParameters } from "../gen/dragoman/v1/parameters_pb.js";
import type { TraceContext } from "../trace-context.ts";
import type { CallObserver } from "./call-observer.ts";
import type { ObservedCall } from "./record.ts";

/** What a span shows of an upstream request: of a ChatRequest, or of an EmbedRequest. */
export interface TracedRequest {
  readonly parameters?: GenerationParameters | undefined;
  readonly dimensions?: number | undefined;
}

/** Observer that makes spans of calls. Its methods must return at once. */
export interface CallTracer extends CallObserver {
  /**
   * A call has begun. Returns the context of its span.
   *
   * @param caller span of the caller. Undefined: the request has none.
   */
  beginCall(call: ObservedCall, caller: TraceContext | undefined): TraceContext;
  /** An upstream request begins. Returns the context to send to its provider. */
  beginAttempt(call: ObservedCall, attempt: Attempt, request: TracedRequest): TraceContext | undefined;
}
