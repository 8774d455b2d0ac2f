import type { DescMessage } from "@bufbuild/protobuf";
import { coalesce } from "../chat/stream/coalesce.ts";
import { type GatewayError, toGatewayError } from "../errors.ts";
import type { StreamChatResponse } from "../gen/dragoman/v1/chat_service_pb.js";
import type { Call } from "./call.ts";
import { type CallRequest, planCall } from "./plan-call.ts";
import { runPlan } from "./run.ts";

/** A chat request, and how its answer goes out. */
interface ChatCall<Desc extends DescMessage> extends CallRequest<Desc> {
  readonly keepProviderDeltas: boolean;
  /** Called once, right before the first event is handed on, or before the error where there was none. */
  readonly beforeAnswer: () => void;
  /** Makes what is thrown of an error. */
  readonly toThrown: (error: GatewayError) => unknown;
}

/**
 * Serves a chat call from its decoded request to its record. One generator and not several, one in another: each costs as
 * much for a delta as all the rest of this.
 */
export async function* serveChat<Desc extends DescMessage>(
  call: Call,
  chatCall: ChatCall<Desc>,
): AsyncGenerator<StreamChatResponse> {
  let isAnswering = false;
  const beginAnswer = (): void => {
    if (!isAnswering) chatCall.beforeAnswer();
    isAnswering = true;
  };
  try {
    const plan = await planCall(call, chatCall);
    const run = runPlan(plan, call, !chatCall.streamed);
    for await (const arrived of run.events) {
      const batch = run.withCallFacts(arrived);
      beginAnswer();
      for (const event of chatCall.keepProviderDeltas ? batch : coalesce(batch)) {
        yield { $typeName: "dragoman.v1.StreamChatResponse", event };
      }
    }
    call.settle();
  } catch (thrown) {
    const error = toGatewayError(call.signal.aborted ? call.signal.reason : thrown);
    call.settle(error);
    beginAnswer();
    throw chatCall.toThrown(error);
  } finally {
    // Reached without an end when the listener stopped pulling: the client is gone.
    call.clientGone();
  }
}
