import type { Model } from "../gen/dragoman/v1/model_pb.js";
import type { SentRequest } from "../ledger/sent-request.ts";
import type { Bill } from "../prices/bill.ts";
import type { AttemptOptions } from "../routing/attempt.ts";
import type { RunParameters } from "../routing/started-attempt.ts";
import type { Call } from "./call.ts";

/** What is sent upstream, and to which model. */
interface Sent {
  readonly model: Model;
  readonly request: SentRequest;
  /** Types of the tools in the request that the provider runs. */
  readonly tools?: readonly string[];
}

/** Returns the options of an upstream request: its call observes it, and pays for it. */
export function attemptOptions(
  call: Call,
  bill: Bill,
  { model, request, tools = [] }: Sent,
  { onEnd, onFailure, ...parameters }: RunParameters,
): AttemptOptions {
  return {
    ...parameters,
    holder: call.holder,
    elapsedMs: () => call.elapsedMs,
    charge: (usage, serviceTier) => bill.charge(model, usage, serviceTier, tools),
    onTrace: (attempt, baseUrl) => call.attemptBegins(attempt, request, baseUrl),
    onFailure(failure, attempt) {
      onFailure(failure);
      call.attemptFailed(attempt, failure, request);
    },
    onEnd(attempt) {
      onEnd(attempt);
      call.attemptEnded(attempt);
    },
  };
}
