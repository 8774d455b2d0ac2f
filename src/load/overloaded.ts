import { GatewayError } from "../errors.ts";

/** Delay before a retry, in milliseconds. */
export const retryAfterMs = 1000;

/**
 * Makes the error OVERLOADED.
 *
 * @param bound name of the bound that was reached, as in the log, such as `heap`
 * @param problem what is wrong, such as `its memory is nearly full`
 */
export function overloaded(bound: string, problem: string): GatewayError {
  const message = `the service is overloaded: ${problem}; retry later or call another instance`;
  return new GatewayError("OVERLOADED", message, { retryAfterMs, metadata: { bound } });
}

/** Makes the error of a request that was cut off for a new one, since it was still arriving. */
export function requestReplaced(): GatewayError {
  return overloaded("streams", "it has too many calls in progress, and this request was not complete");
}
