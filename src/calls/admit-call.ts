import { toGatewayError } from "../errors.ts";
import type { Call } from "./call.ts";

/**
 * Authenticates a call from its request headers alone. If authentication fails, settles the call and throws the error.
 * Returns a promise only if the decision is asynchronous: most are not, and awaiting a promise slows every call.
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
