import { toGatewayError } from "../errors.ts";
import type { Call } from "./call.ts";

/**
 * Decides on the request headers alone whether a call may go on. If not, settles the call and throws the error. A promise
 * only where the decision has to wait: most have an answer at once, and waiting costs every call.
 */
export function admitCall(call: Call): undefined | Promise<undefined> {
  try {
    const caller = call.snapshot.authenticate(call.source.requestHeader);
    if (caller instanceof Promise) {
      return caller.then(
        (admitted) => {
          call.signal.throwIfAborted();
          call.admit(admitted);
          return undefined;
        },
        (thrown) => reject(call, thrown),
      );
    }
    call.admit(caller);
    return undefined;
  } catch (thrown) {
    return reject(call, thrown);
  }
}

function reject(call: Call, thrown: unknown): never {
  const error = toGatewayError(call.signal.aborted ? call.signal.reason : thrown);
  call.settle(error);
  throw error;
}
