import type { Outcome } from "./shoot.ts";

/** Time for a response, in ms. Longer than the maximum call duration of the target. */
export const patienceMs = 30_000;

const callId = /^chatcmpl-[0-9a-f]{32}$/;

/** The id of a call in the value of `x-request-id`, which can also come from the caller. */
export function callIds(...values: readonly (string | readonly string[] | undefined)[]): readonly string[] {
  return values.flat().filter((value): value is string => value !== undefined && callId.test(value as string));
}

/** Resolves with the result of `shot`, or with a problem if it takes too long. `cancel` then ends the shot. */
export async function inTime(shot: Promise<Outcome>, cancel: () => void): Promise<Outcome> {
  const late = Promise.withResolvers<Outcome>();
  const timer = setTimeout(() => {
    cancel();
    late.resolve({ ids: [], problem: `neither a response nor a closed connection within ${patienceMs} ms` });
  }, patienceMs);
  try {
    return await Promise.race([shot, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
