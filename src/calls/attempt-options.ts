import type { Model } from "../gen/dragoman/v1/model_pb.js";
import type { TracedRequest } from "../ledger/call-tracer.ts";
import type { Bill } from "../prices/bill.ts";
import type { AttemptOptions } from "../routing/attempt.ts";
import type { RunParameters } from "../routing/started-attempt.ts";
import type { Call } from "./call.ts";

/** What is sent upstream, for its cost and its span. */
interface SentRequest {
  readonly model: Model;
  readonly traced: TracedRequest;
  /** Types of the tools in the request that the provider runs. */
  readonly tools?: readonly string[];
}

/** Returns the options of an upstream request: its call observes it, and pays for it. */
export function attemptOptions(
  call: Call,
  bill: Bill,
  { model, traced, tools = [] }: SentRequest,
  { onEnd, onFailure, ...parameters }: RunParameters,
): AttemptOptions {
  return {
    ...parameters,
    holder: call.holder,
    elapsedMs: () => call.elapsedMs,
    charge: (usage, serviceTier) => bill.charge(model, usage, serviceTier, tools),
    onTrace: (attempt) => call.attemptBegins(attempt, traced),
    onFailure(failure) {
      onFailure(failure);
      call.attemptFailed(failure);
    },
    onEnd(attempt) {
      onEnd(attempt);
      call.attemptEnded(attempt);
    },
  };
}
