import { durationFromMs } from "@bufbuild/protobuf/wkt";
import type { AttemptContext } from "./upstream-call.ts";

/**
 * Waits in a queue for an attempt, and adds the time to the attempt.
 *
 * @param thing what the attempt waits for, such as `a connection to openai`
 */
export async function timeInQueue<T>(
  wait: Promise<T>,
  thing: string,
  { signal, attempt, queue }: AttemptContext,
): Promise<T> {
  const begin = performance.now();
  const note = () => {
    attempt.queueDuration = durationFromMs(Math.round(performance.now() - begin));
  };
  // The record of an aborted call is written at once, before the wait throws.
  signal.addEventListener("abort", note);
  queue.waitsFor = thing;
  try {
    const result = await wait;
    queue.waitsFor = undefined;
    return result;
  } finally {
    signal.removeEventListener("abort", note);
    note();
  }
}
