import { setTimeout } from "node:timers/promises";
import type { Caller } from "../accounts/keys.ts";
import { type Role, requireRole } from "../accounts/role.ts";
import { GatewayError, toGatewayError } from "../errors.ts";
import type { Call } from "./call.ts";

/**
 * Authenticates a call from its request headers alone. If authentication fails, settles the call and throws the error.
 * Returns a promise only if the decision is asynchronous: most are not, and awaiting a promise slows every call.
 *
 * @param role Role that the method requires. Throws ROLE_NOT_ALLOWED if the caller has a lower one.
 */
export function admitCall(call: Call, role: Role = "caller"): undefined | Promise<undefined> {
  try {
    const caller = call.snapshot.authenticate(call.source.requestHeader);
    if (caller instanceof Promise) {
      return caller.then(
        (admitted) => {
          call.signal.throwIfAborted();
          admit(call, admitted, role);
          return undefined;
        },
        (thrown) => rejectInTime(call, thrown),
      );
    }
    admit(call, caller, role);
    return undefined;
  } catch (thrown) {
    return rejectInTime(call, thrown);
  }
}

/** Sets the caller of a call. Rejects the call if its method requires another role. */
function admit(call: Call, caller: Caller, role: Role): void {
  call.admit(caller);
  try {
    requireRole(caller, role, call.method);
  } catch (thrown) {
    reject(call, thrown);
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
