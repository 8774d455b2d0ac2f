import { setTimeout } from "node:timers/promises";
import { GatewayError, toGatewayError } from "../errors.ts";
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
        (thrown) => rejectInTime(call, thrown),
      );
    }
    call.admit(caller);
    return undefined;
  } catch (thrown) {
    return rejectInTime(call, thrown);
  }
}

/** Rejects a call, after a delay if its address has sent many wrong API keys. */
function rejectInTime(call: Call, thrown: unknown): Promise<never> {
  const isWrongKey = thrown instanceof GatewayError && thrown.reason === "CREDENTIALS_INVALID";
  const delayMs = isWrongKey ? call.countWrongKey() : 0;
  if (delayMs === 0) return reject(call, thrown);
  const rejectNow = (): never => reject(call, thrown);
  return setTimeout(delayMs, undefined, { signal: call.signal }).then(rejectNow, rejectNow);
}

function reject(call: Call, thrown: unknown): never {
  const error = toGatewayError(call.signal.aborted ? call.signal.reason : thrown);
  call.settle(error);
  throw error;
}
