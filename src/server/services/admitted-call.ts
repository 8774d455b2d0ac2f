import { createContextKey, type HandlerContext } from "@connectrpc/connect";
import type { Call } from "../../calls/call.ts";
import { type GatewayError, toGatewayError } from "../../errors.ts";

/** A call that a listener has begun, on its way to its method. */
export interface AdmittedCall {
  readonly call: Call;
  /** Makes of an error what the listener wants its methods to throw. */
  readonly toThrown: (error: GatewayError) => unknown;
  /** Whether the method has begun: from then on it settles the call. */
  reached: boolean;
}

const key = createContextKey<AdmittedCall | undefined>(undefined, { description: "the admitted call" });

export function setAdmittedCall({ values }: Pick<HandlerContext, "values">, admitted: AdmittedCall): void {
  values.set(key, admitted);
}

/** The call that a method runs for. Every method asks for it first. */
export function enterMethod(context: HandlerContext): AdmittedCall {
  const admitted = context.values.get(key);
  if (admitted === undefined) throw new Error("a listener runs a method without access control");
  admitted.reached = true;
  return admitted;
}

/** Runs a unary method within its call, which it settles. */
export async function answerCall<Response>(
  context: HandlerContext,
  answer: (call: Call) => Response | Promise<Response>,
): Promise<Response> {
  const { call, toThrown } = enterMethod(context);
  try {
    const response = await answer(call);
    call.signal.throwIfAborted();
    call.settle();
    return response;
  } catch (thrown) {
    const error = toGatewayError(call.signal.aborted ? call.signal.reason : thrown);
    call.settle(error);
    throw toThrown(error);
  }
}
