import { type Claimant, FairSlots } from "../../fair-slots.ts";

/** Maximum number of messages that are decompressed at the same time: the number of threads that zlib has. */
const most = 4;

/** Without a maximum number of messages: the bound on requests in progress bounds the queue. */
const slots = new FairSlots(most, Number.POSITIVE_INFINITY, { thing: "decompression", retryAfterMs: 0 });

/**
 * Decompresses a message when its turn comes, in turns of the callers. A message of 16 KB can grow to 16 MB, and only
 * then counts towards `limits.max_bytes_in_flight`, so few may grow at the same time. A message whose call has ended is
 * not decompressed: rejects with the signal's reason.
 */
export async function decompressInTurn<Result>(
  claimant: Claimant,
  decompress: () => Result | Promise<Result>,
): Promise<Result> {
  const turn = slots.take(claimant);
  if (turn !== undefined) await turn;
  try {
    return await decompress();
  } finally {
    slots.release(claimant);
  }
}
