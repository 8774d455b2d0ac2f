import { ConnectError, createContextKey, type HandlerContext } from "@connectrpc/connect";
import type { Call } from "../../calls/call.ts";
import { type GatewayError, toGatewayError } from "../../errors.ts";
import { fromConnectError, withDetails } from "./connect-errors.ts";

/** Authenticated call that a listener passes to a method. */
export interface AdmittedCall {
  readonly call: Call;
  /** Converts an error to the value that the listener expects its methods to throw. */
  readonly toThrown: (error: GatewayError) => unknown;
  /** Whether the method has started. If true, the method settles the call; otherwise the listener does. */
  reached: boolean;
  /**
   * Sets the response headers of the call (calls/answer-headers.ts), once the provider's rate limits are known. Undefined:
   * the listener sets them when it sends the headers.
   */
  readonly beforeAnswer?: () => void;
  /** Text of a JSON request until the method starts, to explain why it cannot be decoded. */
  json?: string | undefined;
}

const key = createContextKey<AdmittedCall | undefined>(undefined, { description: "the admitted call" });

export function setAdmittedCall({ values }: Pick<HandlerContext, "values">, admitted: AdmittedCall): void {
  values.set(key, admitted);
}

/** Returns the call of a method and marks it as started. Every method must call this first. */
export function enterMethod(context: HandlerContext): AdmittedCall {
  const admitted = context.values.get(key);
  if (admitted === undefined) throw new Error("a method ran without access control");
  admitted.reached = true;
  admitted.json = undefined;
  admitted.call.requestComplete();
  return admitted;
}

/** Runs a unary method and settles its call. */
export async function answerCall<Response>(
  context: HandlerContext,
  answer: (call: Call, admitted: AdmittedCall) => Response | Promise<Response>,
): Promise<Response> {
  const admitted = enterMethod(context);
  const { call } = admitted;
  try {
    const response = await answer(call, admitted);
    call.signal.throwIfAborted();
    call.settle();
    if (call.recorded) await call.recorded;
    return response;
  } catch (thrown) {
    const error = failed(admitted, thrown);
    if (call.recorded) await call.recorded;
    throw error;
  }
}

/** Runs a server-streaming method and settles its call. */
export function streamCall<Response>(
  context: HandlerContext,
  answer: (call: Call) => AsyncIterable<Response>,
): AsyncIterable<Response> {
  return stream(enterMethod(context), answer);
}

async function* stream<Response>(admitted: AdmittedCall, answer: (call: Call) => AsyncIterable<Response>) {
  const { call } = admitted;
  try {
    yield* answer(call);
    call.signal.throwIfAborted();
    call.settle();
  } catch (thrown) {
    throw failed(admitted, thrown);
  }
}

/** Settles a failed call. Returns the error to throw. */
function failed({ call, toThrown }: AdmittedCall, thrown: unknown): unknown {
  const cause: unknown = call.signal.aborted ? call.signal.reason : thrown;
  const isDeliberate = cause instanceof ConnectError;
  const error = isDeliberate ? fromConnectError(cause) : toGatewayError(cause);
  call.settle(error);
  return isDeliberate ? withDetails(cause, error, call) : toThrown(error);
}
