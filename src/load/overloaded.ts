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
