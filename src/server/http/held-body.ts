import { abortable } from "../../abortable.ts";
import type { Call } from "../../calls/call.ts";

/** Returns the call of a request. Undefined: Connect rejected the request before the call began. */
export type CallOf = () => Call | undefined;

/**
 * Passes on the body of a request. Holds its bytes in the budget of all calls, and ends as soon as the call ends, also
 * if no more bytes arrive.
 *
 * @param callOf Returns the call, which begins before the first byte is read.
 */
export async function* heldBody(chunks: AsyncIterable<Uint8Array>, callOf: CallOf): AsyncGenerator<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]();
  const call = callOf();
  let bytes = 0;
  try {
    for (;;) {
      const next = iterator.next();
      const { done, value } = await (call === undefined ? next : abortable(next, call.signal));
      if (done) return;
      bytes += value.length;
      call?.holdRequest(bytes);
      yield value;
    }
  } finally {
    // Not awaited: a body that has stalled would never answer.
    void iterator.return?.();
  }
}
