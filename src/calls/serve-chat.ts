import type { DescMessage } from "@bufbuild/protobuf";
import { coalesce } from "../chat/stream/coalesce.ts";
import { type GatewayError, toGatewayError } from "../errors.ts";
import type { StreamChatResponse } from "../gen/dragoman/v1/chat_service_pb.js";
import { Pace } from "../pace.ts";
import type { Call } from "./call.ts";
import { limitCall } from "./limit-call.ts";
import { type CallRequest, prepareCall } from "./plan-call.ts";
import { runCall } from "./run.ts";

/** Bytes of output from which encoding a response can take 10 ms. */
const largeOutput = 512 * 1024;

/** Chat request, and how to send its response. */
interface ChatCall<Desc extends DescMessage> extends CallRequest<Desc> {
  readonly keepProviderDeltas: boolean;
  /** Called once, right before the first event is sent, or before the error if there is no event. Default: nothing is. */
  readonly beforeAnswer?: (() => void) | undefined;
  /** Converts an error to the value that the listener expects to be thrown. */
  readonly toThrown: (error: GatewayError) => unknown;
}

/**
 * Serves a chat call from its decoded request to its record. This is one generator and not a chain of several: each
 * additional one would cost as much per delta as the rest of this function.
 */
export async function* serveChat<Desc extends DescMessage>(
  call: Call,
  chatCall: ChatCall<Desc>,
): AsyncGenerator<StreamChatResponse> {
  let isAnswering = false;
  let seq = 0;
  const beginAnswer = (): void => {
    if (!isAnswering) chatCall.beforeAnswer?.();
    isAnswering = true;
  };
  try {
    const prepared = await prepareCall(call, chatCall);
    const limiting = limitCall(call, prepared);
    if (limiting) {
      await limiting;
      call.signal.throwIfAborted();
    }
    const starting = call.starting();
    if (starting) await starting;
    call.signal.throwIfAborted();
    const run = runCall(prepared, call, !chatCall.streamed);
    for await (const arrived of run.events) {
      const batch = run.withCallFacts(arrived);
      beginAnswer();
      for (const event of chatCall.keepProviderDeltas ? batch : coalesce(batch)) {
        yield { $typeName: "dragoman.v1.StreamChatResponse", event, seq: ++seq };
      }
    }
    // The listener encodes a single response as a whole, right after this generator ends.
    if (!chatCall.streamed && run.outputSize() > largeOutput) {
      await new Pace().nextTurn();
      call.signal.throwIfAborted();
    }
    call.settle();
    if (call.recorded) await call.recorded;
  } catch (thrown) {
    const error = toGatewayError(call.signal.aborted ? call.signal.reason : thrown);
    call.settle(error);
    if (call.recorded) await call.recorded;
    beginAnswer();
    throw chatCall.toThrown(error);
  } finally {
    // If the call has not settled yet, the listener stopped reading, because the client disconnected.
    call.clientGone();
  }
}
